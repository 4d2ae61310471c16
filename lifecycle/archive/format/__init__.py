"""The format of MFC's CArchive: values to bytes and back. Nothing here reads or writes files, or imports Archive."""
