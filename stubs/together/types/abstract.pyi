from typing import Any

class BaseModel:
    def model_dump(self, *, by_alias: bool | None = None, exclude_unset: bool = False) -> dict[str, Any]: ...
