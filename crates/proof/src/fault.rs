//! What a check refused or an operation failed at, under stable codes, in both languages.

use std::fmt;
use std::path::{Path, PathBuf};

use model::Text;

/// Which check failed, and about what. Programs go by [`Fault::code`], people by [`Fault::text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A receipt's line is not of its form. Lines count from 1.
    Receipt { line: usize, expected: Text },
    /// A leaf is not of its form; `index` if it stands in a log.
    Leaf { index: Option<u64>, reason: Text },
    /// The public part of a leaf holds a citizen number, masked here.
    PersonalInPublic { found: String },
    /// An entry is longer than a bundle can say.
    EntryTooLong { bytes: usize },
    /// Salt and content do not give the commitment of the leaf.
    Commitment,
    /// A note or its text is not of its form.
    Note { reason: Text },
    /// A key is not of its form.
    Key { reason: Text },
    /// Others than its owner may read the file of a private key.
    KeyExposed { path: PathBuf, mode: u32 },
    /// A signature of the key does not verify.
    Signature { key: String },
    /// The key has not signed.
    Unsigned { key: String },
    /// A checkpoint is of another log.
    Origin { found: String, expected: String },
    /// A leaf is not at this index of the tree.
    Inclusion { index: u64, size: u64 },
    /// The older tree is not the beginning of the newer one.
    Consistency { old: u64, new: u64 },
    /// Two heads of one size have different roots.
    Split { size: u64 },
    /// A log has fewer entries than it once had.
    Shrunk { known: u64, found: u64 },
    /// A receipt and a bare checkpoint are of different sizes.
    NotComparable { receipt: u64, checkpoint: u64 },
    /// The entry of a log is not the leaf of the receipt.
    OtherEntry { index: u64 },
    /// A file of the log is not there.
    Missing { path: String },
    /// A file of the log is not of its form.
    Damaged { path: String },
    /// A tile does not hold what follows from the entries.
    Tile { path: String },
    /// The entries do not give the signed root.
    Root { size: u64 },
    /// Leaves to be published do not follow those that are.
    Gap { first: u64, size: u64 },
    /// Another leaf is published at this index.
    PublishedOtherwise { index: u64 },
    /// Another process is publishing to the folder.
    Busy { path: PathBuf },
    /// A file could not be read or written.
    File { path: PathBuf, detail: String },
}

impl Fault {
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), detail: error.to_string() }
    }

    /// Says which entry of a log a fault of a leaf is about.
    pub(crate) fn at(self, index: u64) -> Self {
        match self {
            Self::Leaf { reason, .. } => Self::Leaf { index: Some(index), reason },
            other => other,
        }
    }

    /// The stable name of the check.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Receipt { .. } => "receipt-form",
            Self::Leaf { .. } => "leaf-form",
            Self::PersonalInPublic { .. } => "personal-in-public",
            Self::EntryTooLong { .. } => "entry-too-long",
            Self::Commitment => "commitment",
            Self::Note { .. } => "note-form",
            Self::Key { .. } => "key-form",
            Self::KeyExposed { .. } => "key-exposed",
            Self::Signature { .. } => "signature",
            Self::Unsigned { .. } => "unsigned",
            Self::Origin { .. } => "origin",
            Self::Inclusion { .. } => "inclusion",
            Self::Consistency { .. } => "consistency",
            Self::Split { .. } => "split",
            Self::Shrunk { .. } => "shrunk",
            Self::NotComparable { .. } => "not-comparable",
            Self::OtherEntry { .. } => "other-entry",
            Self::Missing { .. } => "missing",
            Self::Damaged { .. } => "damaged",
            Self::Tile { .. } => "tile",
            Self::Root { .. } => "root",
            Self::Gap { .. } => "gap",
            Self::PublishedOtherwise { .. } => "published-otherwise",
            Self::Busy { .. } => "busy",
            Self::File { .. } => "file",
        }
    }

    /// What failed and what to do about it.
    pub fn text(&self) -> Text {
        self.of_document().or_else(|| self.of_proof()).unwrap_or_else(|| self.of_folder())
    }

    /// Texts that are not of their form.
    fn of_document(&self) -> Option<Text> {
        let text = match self {
            Self::Receipt { line, expected } => Text::new(
                format!("回执第 {line} 行应有{}；请重新抄录或向经办机关重新领取", expected.zh),
                format!(
                    "line {line} of the receipt: expected {}; copy it again, or ask for another",
                    expected.en
                ),
            ),
            Self::Leaf { index, reason } => {
                let (zh, en) = index.map_or_else(
                    || ("条目".to_owned(), "the leaf".to_owned()),
                    |index| (format!("第 {index} 号条目"), format!("leaf {index}")),
                );
                Text::new(format!("{zh}：{}", reason.zh), format!("{en}: {}", reason.en))
            }
            Self::PersonalInPublic { found } => Text::new(
                format!("公开部分含有公民身份号码 `{found}`，公开后无法收回；请放入个人部分"),
                format!(
                    "the public part holds the citizen number `{found}`, which could never be taken back; \
                     put it into the personal part"
                ),
            ),
            Self::EntryTooLong { bytes } => Text::new(
                format!("条目有 {bytes} 字节，最多 65535；请把长内容放在别处，只记其哈希"),
                format!(
                    "the entry has {bytes} bytes, at most 65535; keep long content elsewhere and log its hash"
                ),
            ),
            Self::Note { reason } => Text::new(
                format!("检查点不合格式：{}；请重新获取", reason.zh),
                format!("the checkpoint is not of its form: {}; fetch it again", reason.en),
            ),
            Self::Key { reason } => Text::new(reason.zh.clone(), reason.en.clone()),
            Self::KeyExposed { path, mode } => Text::new(
                format!(
                    "私钥文件 `{}` 的权限是 {mode:03o}，他人可读写；请执行 `chmod 600`，并考虑更换密钥",
                    path.display()
                ),
                format!(
                    "others may read or write the private key `{}` (mode {mode:03o}); \
                     run `chmod 600` on it and think of replacing the key",
                    path.display()
                ),
            ),
            _ => return None,
        };
        Some(text)
    }

    /// Checks of hashes and signatures.
    fn of_proof(&self) -> Option<Text> {
        let text = match self {
            Self::Commitment => Text::new(
                "个人内容和盐算出的承诺与条目不符：个人内容或盐被改动，或回执属于另一条目",
                "salt and content do not give the leaf's commitment: one of them was changed, or is of another leaf",
            ),
            Self::Signature { key } => Text::new(
                format!("`{key}` 的签名不成立：检查点被改动，或并非由此密钥签署"),
                format!("the signature of `{key}` does not verify: the checkpoint was changed or forged"),
            ),
            Self::Unsigned { key } => Text::new(
                format!("检查点没有密钥 `{key}` 的签名；请核对公钥是否取自可信来源"),
                format!(
                    "the checkpoint has no signature of the key `{key}`; make sure that the key is the log's"
                ),
            ),
            Self::Origin { found, expected } => Text::new(
                format!("检查点来自 `{found}`，不是 `{expected}`；请使用该日志的公钥"),
                format!("the checkpoint is of the log `{found}`, not `{expected}`; use the key of that log"),
            ),
            Self::Inclusion { index, size } => Text::new(
                format!(
                    "条目不在已签署日志（{size} 条）的第 {index} 号：公开部分、序号、承诺或证明路径被改动"
                ),
                format!(
                    "the leaf is not number {index} of the signed log of {size}: \
                     its public part, commitment, index or path was changed"
                ),
            ),
            Self::Consistency { old, new } => Text::new(
                format!(
                    "{old} 条时的日志不是 {new} 条时的开头：已公开的条目被改动；请保存两个检查点作为证据"
                ),
                format!(
                    "the log of {old} leaves is not the beginning of the log of {new}: \
                     something published was changed; keep both checkpoints as evidence"
                ),
            ),
            Self::Split { size } => Text::new(
                format!(
                    "同为 {size} 条的两个检查点根哈希不同：日志给不同的人看了不同的内容；请保存两者作为证据"
                ),
                format!(
                    "two checkpoints of {size} leaves have different roots: \
                     the log shows different people different things; keep both as evidence"
                ),
            ),
            Self::Shrunk { known, found } => Text::new(
                format!("日志曾有 {known} 条，现在只有 {found} 条：可能被回退；请恢复最新的文件夹"),
                format!(
                    "the log had {known} leaves and has {found}: it was set back; restore the newest folder"
                ),
            ),
            Self::NotComparable { receipt, checkpoint } => Text::new(
                format!(
                    "回执的日志有 {receipt} 条，检查点有 {checkpoint} 条，仅凭检查点无法比较；请用 `--log` 给出日志文件夹"
                ),
                format!(
                    "the receipt is of {receipt} leaves and the checkpoint of {checkpoint}, which alone cannot be \
                     compared; give the folder of the log with `--log`"
                ),
            ),
            Self::OtherEntry { index } => Text::new(
                format!("日志文件夹中第 {index} 号条目与回执不同：文件夹被改动"),
                format!("entry {index} in the folder is not the leaf of the receipt: the folder was changed"),
            ),
            Self::Root { size } => Text::new(
                format!("由 {size} 条条目算出的根哈希与签署的不符：条目被改动"),
                format!("the {size} entries do not give the signed root: an entry was changed"),
            ),
            _ => return None,
        };
        Some(text)
    }

    /// Files, and publishing. The other variants do not come here.
    fn of_folder(&self) -> Text {
        match self {
            Self::Missing { path } => Text::new(
                format!("日志中缺少 `{path}`；请核对文件夹，或从备份恢复"),
                format!("`{path}` is missing from the log; mend the path, or restore it from a copy"),
            ),
            Self::Damaged { path } => Text::new(
                format!("日志文件 `{path}` 已损坏；请从备份恢复"),
                format!("`{path}` of the log is damaged; restore it from a copy"),
            ),
            Self::Tile { path } => Text::new(
                format!("由条目算出的哈希与 `{path}` 不符：条目或此文件被改动"),
                format!("the entries do not give the hashes in `{path}`: an entry or this file was changed"),
            ),
            Self::Gap { first, size } => Text::new(
                format!("要从第 {first} 号起公布，而日志只有 {size} 条；请先公布前面的"),
                format!(
                    "leaves from number {first} are to be published and the log has {size}; publish those before"
                ),
            ),
            Self::PublishedOtherwise { index } => Text::new(
                format!("第 {index} 号已公布为另一条目；已公布的不能更改，请追加更正"),
                format!(
                    "another leaf is published as number {index}; append a correction, what is published stays"
                ),
            ),
            Self::Busy { path } => Text::new(
                format!("另一进程正在向 `{}` 公布；请等它完成后重试", path.display()),
                format!("another process is publishing to `{}`; repeat when it has finished", path.display()),
            ),
            Self::File { path, detail } => Text::new(
                format!("文件 `{}` 无法读写：{detail}", path.display()),
                format!("file `{}`: {detail}", path.display()),
            ),
            other => Text::same(other.code()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_in_both_languages_what_failed_and_what_to_do() {
        let (path, text) = (|| "log".to_owned(), || Text::new("应有数字", "expected a number"));
        let faults = [
            Fault::Receipt { line: 3, expected: text() },
            Fault::Leaf { index: Some(1), reason: text() },
            Fault::PersonalInPublic { found: "510681********0014".to_owned() },
            Fault::EntryTooLong { bytes: 70_000 },
            Fault::Commitment,
            Fault::Note { reason: text() },
            Fault::Key { reason: text() },
            Fault::KeyExposed { path: path().into(), mode: 0o644 },
            Fault::Signature { key: path() },
            Fault::Unsigned { key: path() },
            Fault::Origin { found: path(), expected: path() },
            Fault::Inclusion { index: 1, size: 1 },
            Fault::Consistency { old: 1, new: 2 },
            Fault::Split { size: 1 },
            Fault::Shrunk { known: 2, found: 1 },
            Fault::NotComparable { receipt: 1, checkpoint: 2 },
            Fault::OtherEntry { index: 1 },
            Fault::Missing { path: path() },
            Fault::Damaged { path: path() },
            Fault::Tile { path: path() },
            Fault::Root { size: 1 },
            Fault::Gap { first: 2, size: 1 },
            Fault::PublishedOtherwise { index: 1 },
            Fault::Busy { path: path().into() },
            Fault::File { path: path().into(), detail: "no space left".to_owned() },
        ];
        let codes: std::collections::BTreeSet<&str> = faults.iter().map(Fault::code).collect();
        assert_eq!(codes.len(), faults.len(), "no two checks share a code");
        for fault in faults {
            let text = fault.text();
            let han = text.zh.chars().any(|character| ('\u{4e00}'..'\u{9fff}').contains(&character));
            assert!(han && text.en.is_ascii(), "{text:?}");
            assert!(text.en != fault.code() && text.en.contains(' '), "{text:?}");
        }
    }
}
