from typing import Literal

from typing_extensions import Required, TypedDict

class FileFile(TypedDict, total=False):
    file_data: str
    file_id: str
    filename: str

class File(TypedDict, total=False):
    file: Required[FileFile]
    type: Required[Literal["file"]]
