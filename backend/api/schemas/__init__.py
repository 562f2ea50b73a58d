"""What travels over HTTP. Bodies are pydantic models, strict and closed; answers plain dataclasses, cheap to make."""
