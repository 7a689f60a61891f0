//! What is laid over records is read as if it were recorded.
