//! Queries as an analyst asks them: tables, masks, and what is said of mistakes.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use model::Lang;
use xiaokang::arguments::{Arguments, Command as Said};

const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];

fn pack() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    folder.canonicalize().expect("the pack is there")
}

/// The sample county, imported and assessed below a folder.
fn assessed(here: &Path) {
    let text = |path: PathBuf| path.display().to_string();
    let (registry, pack, run) = (text(here.join("registry")), text(pack()), text(here.join("run")));
    let files: Vec<String> =
        FILES.iter().map(|file| text(self::pack().join("data/xiangcheng").join(file))).collect();
    let import = ["xiaokang", "import", "--registry", &registry, "--pack", &pack, "--json"];
    let import = import.into_iter().chain(files.iter().map(String::as_str));
    let Said::Import(options) = Arguments::parse_from(import).command else { panic!("an import") };
    xiaokang::import::run(&options, Lang::En).expect("the county is imported");
    let assess = ["--pack", &pack, "--as-of", "2015-12-31", "--out", &run, "--json"];
    let assess = ["xiaokang", "assess", "--registry", &registry].into_iter().chain(assess);
    let Said::Assess(options) = Arguments::parse_from(assess).command else { panic!("an assessment") };
    xiaokang::assess::run(&options, Lang::En).expect("the county is assessed");
}

fn said(here: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xiaokang-sql"))
        .args(arguments)
        .current_dir(here)
        .output()
        .expect("the program starts");
    format!(
        "exit {}\n--- out\n{}--- err\n{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_query_sees_results_and_no_personal_text() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    assessed(here);
    let counted = said(here, &["--run", "run", "--format", "csv", "select count(*) as n from household"]);
    assert!(counted.starts_with("exit 0\n--- out\nn\n711\n"), "{counted}");
    personal_texts_are_masked_from_queries(here);
}

#[test]
fn a_folder_that_is_no_run_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = said(folder.path(), &["--run", "none", "--lang", "en", "select 1"]);
    assert!(text.starts_with("exit 2\n") && text.contains("`none`"), "{text}");
}

fn personal_texts_are_masked_from_queries(here: &Path) {
    let sql = |more: &[&str], query: &str| {
        let mut arguments = vec!["--run", "run", "--format", "csv", "--lang", "en"];
        arguments.extend(more);
        arguments.push(query);
        said(here, &arguments)
    };
    let one = "select name, citizen_number, birth from person where number = '5133361002040001901'";
    let masked = sql(&[], one);
    assert!(masked.contains("**,*****************5,1950"), "{masked}");
    assert!(masked.contains("note: name, citizen_number, birth masked; `--unmasked`"), "{masked}");
    let open = sql(&["--unmasked", "--reason", "a test"], one);
    assert!(open.contains(",513336195008051715,") || open.contains(",51333619500805"), "{open}");
    assert!(open.contains("is not masked: do not pass it on"), "{open}");
    // No expression, condition or other name gets behind the mask.
    for query in [
        "select substr(citizen_number, 7, 8) as b from person where number = '5133361002040001901'",
        "select concat('', p.citizen_number) as c from (select * from person) p",
        "select count(*) as n from person where citizen_number like '%19500805%'",
        "select max(account) as a, max(phone) as p from household",
    ] {
        let text = sql(&[], query);
        let digits = text.split(|letter: char| !letter.is_ascii_digit());
        assert!(digits.into_iter().all(|run| run.len() < 7), "{query}: {text}");
        assert!(text.starts_with("exit 0"), "{text}");
    }
}
