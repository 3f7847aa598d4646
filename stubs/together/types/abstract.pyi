from typing import Any

class BaseModel:
    def model_dump(self, *, exclude_unset: bool = False, exclude_none: bool = False) -> dict[str, Any]: ...
