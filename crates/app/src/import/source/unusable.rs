//! Why a file cannot be read.

use model::Text;

use crate::import::ImportError;

pub fn unreadable(file: &str, reason: &dyn std::fmt::Display) -> ImportError {
    ImportError::FileUnreadable { file: file.to_owned(), reason: reason.to_string() }
}

/// A file that is not what an import reads: what it is, and how to mend it.
pub fn unusable(file: &str, code: &'static str, what: Text, mend: Text) -> ImportError {
    ImportError::FileUnusable { file: file.into(), code, what: Box::new(what), mend: Box::new(mend) }
}

pub fn protected(file: &str) -> ImportError {
    unusable(
        file,
        "file-protected",
        Text::new("设有打开密码", "is protected by a password"),
        Text::new(
            "请用表格软件打开，取消密码后另存",
            "open it in a spreadsheet program, take the password away and save it",
        ),
    )
}
