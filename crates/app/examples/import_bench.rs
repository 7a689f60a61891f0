//! Measures an import of invented rows: `cargo run --release -p app --example import_bench -- [persons] [csv|parquet]`.
//!
//! Writes a county of households and persons into a temporary folder, imports both files together (checks,
//! links and store included), then imports them again. Prints rows a second.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use app::import::{ImportOptions, ImportReport, import};
use app::packs::Loaded;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use model::Date;
use pack::program::Program;
use store::{Moment, Registry, RegistryId};

const NOW: i64 = 1_451_980_800_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let persons: usize =
        arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of persons"));
    let kind = arguments.next().unwrap_or_else(|| "csv".to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (households, people) = rows(persons);
    let files = match kind.as_str() {
        "parquet" => vec![parquet(folder.path(), "户", &households), parquet(folder.path(), "人", &people)],
        _ => vec![csv(folder.path(), "户", &households), csv(folder.path(), "人", &people)],
    };
    let total = households.len() + people.len() - 2;
    drop((households, people));
    let pack = loaded();
    let mut registry = registry(&folder.path().join("registry"), &pack);
    for pass in ["first", "again"] {
        let start = Instant::now();
        let report = run(&mut registry, &pack.program, &files);
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{pass}: {total} {kind} rows in {seconds:.1} s, {:.0} rows a second; {} faults, {} changed",
            total as f64 / seconds,
            report.faults.len(),
            report.sheets.iter().map(|sheet| sheet.changed).sum::<u64>(),
        );
    }
}

/// Header and rows of households, and of persons.
fn rows(persons: usize) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let line = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut households = vec![line(
        "村编码,户编号,户主姓名,家庭人口数,识别年度,贫困户属性,主要致贫原因,工资性收入(元),生产经营性收入(元),\
         生产经营性支出(元),财产性收入(元),转移性收入(元),纯收入(元),耕地面积(亩),住房面积(平方米),危房等级,\
         是否通生活用电,是否解决安全饮用水,是否通广播电视,一卡通账号",
    )];
    let mut people = vec![line(
        "户编号,人编号,姓名,性别,证件号码,与户主关系,民族,文化程度,在校生状况,健康状况,残疾等级,劳动技能,务工时间(月),\
         是否参加城乡居民基本医疗保险,是否参加大病保险,是否享受低保,是否特困供养",
    )];
    let mut number = 0;
    while people.len() <= persons {
        let household = format!("513336100201{:07}", households.len())[..12].to_owned()
            + &format!("{:07}", households.len());
        let members = (households.len() % 4 + 2).min(persons + 1 - people.len());
        for member in 0..members {
            number += 1;
            let (id, male) = citizen_number(number);
            let relation = ["户主", "配偶", "之子", "之女", "之父"][member.min(4)];
            let sex = if male { "男" } else { "女" };
            people.push(line(&format!(
                "{household},{household}{member:02},阿依木呷,{sex},{id},{relation},彝族,小学,非在校生,健康,,普通劳动力,{},\
                 是,是,否,否",
                number % 13
            )));
        }
        households.push(line(&format!(
            "513336100201,{household},阿依木呷,{members},2014,一般贫困户,因病,10000.50,2000,500,0,300.25,11800.75,5.5,90,A级,\
             是,是,否,6214000000{:09}",
            households.len()
        )));
    }
    (households, people)
}

/// A valid number and whether it is a man's.
fn citizen_number(number: usize) -> (String, bool) {
    let day = number / 999;
    let birth = Date::from_ymd(1940, 1, 1).expect("a day").add_days((day % 25_000) as i32).expect("a day");
    let (year, month, day_of_month) = birth.ymd();
    let order = number % 999;
    let county = 513_300 + day / 25_000 + 1;
    let body = format!("{county}{year:04}{month:02}{day_of_month:02}{order:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    (format!("{body}{}", char::from(b"10X98765432"[sum as usize % 11])), order % 2 == 1)
}

fn csv(folder: &Path, name: &str, rows: &[Vec<String>]) -> PathBuf {
    let mut text = String::new();
    for row in rows {
        writeln!(text, "{}", row.join(",")).expect("writing to a string");
    }
    let path = folder.join(format!("{name}.csv"));
    fs::write(&path, text).expect("room for the file");
    path
}

fn parquet(folder: &Path, name: &str, rows: &[Vec<String>]) -> PathBuf {
    let columns = rows[0].iter().enumerate().map(|(index, title)| {
        let values: StringArray = rows[1..].iter().map(|row| Some(row[index].as_str())).collect();
        (title.clone(), Arc::new(values) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let path = folder.join(format!("{name}.parquet"));
    let file = fs::File::create(&path).expect("a new file");
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a schema of texts");
    writer.write(&batch).expect("room for the file");
    writer.close().expect("room for the file");
    path
}

fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

fn loaded() -> Loaded {
    app::packs::load(&pack_folder(), &[], &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn registry(folder: &Path, pack: &Loaded) -> Registry {
    let mut registry =
        Registry::create(folder, &pack.program, RegistryId::from_random([1; 16])).expect("a new registry");
    app::seed::fill(&mut registry, pack, Moment::from_unix_ms(NOW)).expect("what the pack ships");
    registry
}

fn run(registry: &mut Registry, program: &Program, files: &[PathBuf]) -> ImportReport {
    let start = Instant::now();
    let last = std::sync::Mutex::new(None);
    let options = ImportOptions {
        actor: "bench".to_owned(),
        now: Moment::from_unix_ms(NOW),
        as_of: Date::from_ymd(2015, 12, 31).expect("a day"),
        report: None,
        preview: false,
        progress: &|progress| {
            let mut last = last.lock().expect("no thread panics here");
            if *last != Some(progress.phase) {
                println!("  {:?} from {:.1} s", progress.phase, start.elapsed().as_secs_f64());
                *last = Some(progress.phase);
            }
            true
        },
    };
    import(registry, program, files, &options).expect("a good import")
}
