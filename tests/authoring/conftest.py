from tests.authoring.modules import import_file

__all__ = ["import_file"]
