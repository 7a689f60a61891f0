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
    personal_columns_of_every_type_are_masked(here);
    all_but_one_reading_query_is_refused(here);
    what_is_seen_in_full_is_written_down(here);
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

fn personal_columns_of_every_type_are_masked(here: &Path) {
    let sql = |query: &str| said(here, &["--run", "run", "--format", "csv", "--lang", "en", query]);
    for query in [
        "select distinct health from person",
        "select health, count(*) as n from person group by health",
        "select min(disability_grade) as least, max(disability_grade) as most from person",
        "select cast(health as varchar) as h from person order by health limit 3",
        "select concat(diagnosis, diagnosis_name) as d from stay limit 5",
        "select distinct disease_number, _disease from stay",
        "select health from person union select diagnosis_name from stay",
        "select (select max(diagnosis) from stay) as d",
    ] {
        let text = sql(query);
        assert!(text.starts_with("exit 0") && text.contains("***"), "{query}: {text}");
        for raw in ["chronic", "serious", "disabled", "healthy", "grade1", "grade2", "grade3", "grade4"] {
            assert!(!text.contains(raw), "{query}: {text}");
        }
        let rows = text.lines().skip(3).take_while(|line| !line.starts_with("--- err"));
        let values = rows.flat_map(|line| line.split(','));
        assert!(
            values
                .into_iter()
                .all(|value| value.trim_start_matches('*').chars().all(|it| it.is_ascii_digit())),
            "{query}: {text}"
        );
    }
    // Of a date the year is left, for comparisons as well.
    let years = sql("select birth from person where birth > '1950-01-01' order by birth limit 1");
    assert!(years.contains("\nbirth\n1951\n"), "{years}");
    // What is computed from personal data for a whole is open.
    let counted = sql("select count(*) as n from person where age >= 60");
    assert!(counted.starts_with("exit 0"), "{counted}");
}

/// Plans print the least and the greatest value of columns as files hold them; files and settings are none of an
/// analyst's business.
fn all_but_one_reading_query_is_refused(here: &Path) {
    let inside = here.join("run/person.parquet").display().to_string();
    let refused = [
        "explain select citizen_number from person".to_owned(),
        "explain verbose select citizen_number from person".to_owned(),
        "explain analyze select citizen_number from person".to_owned(),
        "explain analyze verbose select max(birth) from person".to_owned(),
        "explain format tree select name from person".to_owned(),
        "explain format indent select name from person".to_owned(),
        "EXPLAIN FORMAT PGJSON SELECT name FROM person".to_owned(),
        "explain (select 1)".to_owned(),
        "describe person".to_owned(),
        "desc person".to_owned(),
        "show tables".to_owned(),
        "show columns from person".to_owned(),
        "show all".to_owned(),
        "show functions".to_owned(),
        "set datafusion.explain.show_statistics = true".to_owned(),
        "reset datafusion.explain.show_statistics".to_owned(),
        "copy person to 'out.csv'".to_owned(),
        "copy (select * from person) to 'out.parquet'".to_owned(),
        format!("create external table raw stored as parquet location '{inside}'"),
        "create table raw as select * from person".to_owned(),
        "create view raw as select * from person".to_owned(),
        "select * into raw from person".to_owned(),
        "insert into person select * from person".to_owned(),
        "delete from person".to_owned(),
        "update person set name = ''".to_owned(),
        "drop view person".to_owned(),
        "truncate table person".to_owned(),
        "prepare p as select * from person".to_owned(),
        "execute p".to_owned(),
        "begin".to_owned(),
        "use other".to_owned(),
        "select 1; explain verbose select name from person".to_owned(),
        "select 1; select 2".to_owned(),
        String::new(),
        format!("select * from '{inside}'"),
        format!("select * from \"{inside}\""),
        format!("select * from read_parquet('{inside}')"),
        format!("select * from parquet_metadata('{inside}')"),
        "select * from information_schema.columns".to_owned(),
    ];
    for sql in &refused {
        let text = said(here, &["--run", "run", "--lang", "en", sql]);
        assert!(text.starts_with("exit 2\n--- out\n--- err\n"), "{sql}: {text}");
        let digits = text.replace(&inside, "");
        let digits = digits.split(|letter: char| !letter.is_ascii_digit());
        assert!(digits.into_iter().all(|run| run.len() < 7), "{sql}: {text}");
    }
    assert!(!here.join("out.csv").exists() && !here.join("out.parquet").exists(), "nothing is written");
    for sql in ["with p as (select name from person) select count(*) as n from p", "values (1)", "(select 1)"]
    {
        let text = said(here, &["--run", "run", sql]);
        assert!(text.starts_with("exit 0"), "{sql}: {text}");
    }
}

fn what_is_seen_in_full_is_written_down(here: &Path) {
    let log = here.join("run.disclosed.jsonl");
    let before = std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    let sql = "select name from person limit 1";
    let without = said(here, &["--run", "run", "--unmasked", sql]);
    assert!(without.starts_with("exit 2") && without.contains("--reason"), "{without}");
    let open =
        said(here, &["--run", "run", "--unmasked", "--reason", "an audit", "--actor", "auditor:wu", sql]);
    assert!(open.starts_with("exit 0"), "{open}");
    let text = std::fs::read_to_string(&log).expect("a log");
    let last = text.lines().last().expect("a line");
    assert_eq!(text.lines().count(), before + 1);
    for part in ["an audit", "auditor:wu", "sql --unmasked", "select name from person limit 1"] {
        assert!(last.contains(part), "{part}: {last}");
    }
}
