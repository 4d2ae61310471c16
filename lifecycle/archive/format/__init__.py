"""The format of MFC's CArchive: values to bytes and back. Nothing here reads or writes a file, or knows an Archive."""
