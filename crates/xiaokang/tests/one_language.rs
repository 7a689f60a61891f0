//! One language at a time: what a session prints is Chinese or English, from `--help` to the last error.
//!
//! Names stay as they are in both: what stands between backticks or typographic quotes, stable codes and ids in brackets, file
//! names, options, and the few words that are the same in Chinese offices (`xlsx`, `JSON` …).

use std::path::Path;
use std::process::Command;

/// Words that Chinese text uses as they are.
const SAME: &[&str] = &[
    "csv", "CSV", "DuckDB", "Ed", "en", "JSON", "json", "KiB", "MiB", "GiB", "MB", "ods", "parquet",
    "Parquet", "PATH", "SQL", "sql", "xiaokang", "xls", "xlsx", "zh", "GB",
];

/// Runs a command line in a folder; what it printed on both channels.
fn said(folder: &Path, lang: &str, line: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xiaokang"))
        .args(["--lang", lang])
        .args(line.split(' '))
        .current_dir(folder)
        .env_remove("XIAOKANG_REGISTRY")
        .output()
        .expect("the binary starts");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// The text without what is a name.
fn without_names(text: &str) -> String {
    let mut left = String::new();
    let mut until: Option<char> = None;
    for letter in text.chars() {
        match (until, letter) {
            (_, '\n') => left.push('\n'),
            (Some(end), found) if found == end => until = None,
            (Some(_), _) => {}
            (None, '`') => until = Some('`'),
            (None, '“') => until = Some('”'),
            (None, '[') => until = Some(']'),
            (None, '<') => until = Some('>'),
            (None, other) => left.push(other),
        }
    }
    left
}

/// English words of a Chinese session, each with its line.
fn english(text: &str) -> Vec<String> {
    let mut found = vec![];
    for line in without_names(text).lines() {
        // How a command is called, and what it is called in a list of them, are names.
        let listed = line.strip_prefix("  ").and_then(|line| line.split_once("  ")).map(|(_, words)| words);
        let line = if line.starts_with("用法：") { "" } else { listed.unwrap_or(line) };
        let breaks = |letter: char| letter.is_whitespace() || "，。；：、（）".contains(letter);
        for word in
            line.split(breaks).filter(|word| !word.starts_with('-') && !word.contains(['/', '_', '=', '.']))
        {
            let words = word.split(|letter: char| !letter.is_ascii_alphabetic());
            found.extend(
                words
                    .filter(|word| word.len() > 1 && !SAME.contains(word))
                    .map(|word| format!("{word}: {line}")),
            );
        }
    }
    found
}

/// Lines with Chinese in an English session.
fn chinese(text: &str) -> Vec<String> {
    let is_chinese = |letter: char| {
        ('\u{3000}'..'\u{a000}').contains(&letter) || ('\u{ff00}'..'\u{ffef}').contains(&letter)
    };
    without_names(text).lines().filter(|line| line.contains(is_chinese)).map(ToOwned::to_owned).collect()
}

/// A folder with the packs, and files of every kind that is no use.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs").canonicalize().expect("the packs");
    std::os::unix::fs::symlink(packs, folder.path().join("packs")).expect("the packs are linked");
    for (name, text) in [
        ("broken.xlsx", "no workbook"),
        ("empty.csv", ""),
        ("odd.csv", "a,b\n1,2\n"),
        ("line.json", "{\"household\": {\"1\": {\"wages\": \"x\"}}}\n"),
        ("what.txt", "x"),
        ("receipt.txt", "x"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    std::fs::create_dir(folder.path().join("empty")).expect("a folder");
    folder
}

const MISTAKES: &[&str] = &[
    "nothing",
    "",
    "demo --nothing",
    "demo --pack empty",
    "import --registry r --pack nowhere a.xlsx",
    "import --registry r --pack empty a.xlsx",
    "import --registry r --pack packs/sichuan-2015 missing.xlsx",
    "import --registry r --pack packs/sichuan-2015 broken.xlsx",
    "import --registry r --pack packs/sichuan-2015 empty.csv",
    "import --registry r --pack packs/sichuan-2015 odd.csv",
    "import --registry r --pack packs/sichuan-2015 what.txt",
    "import --registry r --pack packs/sichuan-2015 empty",
    "import --registry r --pack packs/sichuan-2015",
    "import --registry what.txt --pack packs/sichuan-2015 odd.csv",
    "migrate --registry none",
    "assess --registry none --pack packs/sichuan-2015 --as-of 2015-12-31",
    "assess --registry none --pack packs/sichuan-2015 --as-of 2015-13-31",
    "assess --registry none --pack packs/sichuan-2015",
    "assess --pack packs/sichuan-2015 --as-of 2015-12-31",
    "assess --snapshot none --registry r --pack packs/sichuan-2015 --as-of 2015-12-31",
    "assess --snapshot none --pack packs/sichuan-2015 --as-of 2015-12-31",
    "assess --snapshot empty --pack packs/sichuan-2015 --as-of 2015-12-31",
    "assess --registry r --pack packs/sichuan-2015 --as-of 2015-12-31 --memory much",
    "assess --registry r --pack packs/sichuan-2015 --as-of 2015-12-31 --set poverty",
    "assess --registry r --pack packs/sichuan-2015 --as-of 2015-12-31 --threads some",
    "calculate --pack packs/sichuan-2015 --as-of 2015-12-31 --only nothing line.json",
    "calculate --pack packs/sichuan-2015 --as-of 2015-12-31 line.json",
    "calculate --pack packs/sichuan-2015 --as-of 2015-12-31 none.json",
    "explain --run none household 1",
    "explain --run empty household 1",
    "reassess --run none --changes line.json",
    "reassess --run none",
    "check-change --run none {}",
    "report --run none --out report.xlsx",
    "synth --persons few --out s",
    "synth --persons 10 --out s --pack empty",
    "synth --persons 10 --out s --format pdf",
    "case list",
    "case list --registry none",
    "case show 1 --registry none",
    "case do 1 --as village:li --registry none complete",
    "case do 1 --registry none complete",
    "case start minimum-living-guarantee --as : --registry none",
    "fund trace --registry none",
    "fund trace --document x --registry none",
    "fund allot d --purpose p --from 51 --to x --amount 1 --as county --registry none",
    "pay show --registry none",
    "pay plan --county 513336 --as county --registry none",
    "pay return b none.txt --as county --registry none",
    "log publish --log l --as county --registry none",
    "log check none --key x+y",
    "verify none.txt --key x",
    "verify receipt.txt --key receipt.txt",
    "pack check nowhere",
    "pack check empty",
    "pack test nowhere",
    "pack coverage packs/sichuan-2015 --run nowhere",
    "pack compile packs/sichuan-2015 --dialect oracle",
    "pack mutate packs/sichuan-2015 --at-least many",
];

#[test]
fn every_mistake_is_said_in_the_language_of_the_session() {
    let folder = workplace();
    let mut wrong = vec![];
    for line in MISTAKES {
        let (code, zh) = said(folder.path(), "zh", line);
        assert!(matches!(code, 2 | 3), "{line}: {code}\n{zh}");
        assert!(zh.contains("错误：") && zh.contains('['), "{line}\n{zh}");
        wrong.extend(english(&zh).into_iter().map(|found| format!("{line} ⇒ {found}")));
        let (again, en) = said(folder.path(), "en", line);
        assert_eq!(code, again, "{line}");
        assert!(en.contains("error: "), "{line}\n{en}");
        wrong.extend(chinese(&en).into_iter().map(|found| format!("{line} ⇒ {found}")));
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn help_is_in_the_language_of_the_session() {
    let folder = workplace();
    let mut lines = vec!["--help".to_owned(), "--version".to_owned()];
    let groups: [(&str, &[&str]); 19] = [
        ("demo", &[]),
        ("import", &[]),
        ("migrate", &[]),
        ("assess", &[]),
        ("calculate", &[]),
        ("explain", &[]),
        ("reassess", &[]),
        ("check-change", &[]),
        ("report", &[]),
        ("synth", &[]),
        ("verify", &[]),
        ("case", &["start", "list", "show", "do"]),
        ("fund", &["issue", "allot", "trace"]),
        ("pay", &["plan", "file", "acknowledge", "return", "correct", "reconcile", "show"]),
        ("log", &["publish", "receipt", "key", "check"]),
        ("pack", &["check", "test", "coverage", "docs", "forms", "compile", "mutate"]),
        ("case do", &["attach", "investigate", "vote", "object", "answer", "complete", "refuse", "tick"]),
        ("help", &[]),
        ("help case", &[]),
    ];
    for (command, below) in groups {
        lines.push(if command.starts_with("help") {
            command.to_owned()
        } else {
            format!("{command} --help")
        });
        lines.extend(below.iter().map(|sub| format!("{command} {sub} --help")));
    }
    let mut wrong = vec![];
    for line in &lines {
        let (code, zh) = said(folder.path(), "zh", line);
        assert_eq!(code, 0, "{line}\n{zh}");
        wrong.extend(english(&zh).into_iter().map(|found| format!("{line} ⇒ {found}")));
        let (_, en) = said(folder.path(), "en", line);
        wrong.extend(chinese(&en).into_iter().map(|found| format!("{line} ⇒ {found}")));
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_are_told_from_words() {
    let check = |line: &str, expected: &[&str]| {
        let found: Vec<String> = english(line)
            .iter()
            .map(|found| found.split(':').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(found, expected, "{line}");
    };
    check("错误：“household”没有 `wages` [unknown-rule]", &[]);
    check("错误：no such thing", &["no", "such", "thing"]);
    check("请写 --registry 文件夹，如 packs/x，另存为 xlsx", &[]);
    assert_eq!(chinese("error: it is “名”"), Vec::<String>::new());
    assert_eq!(chinese("error: 错").len(), 1);
}
