//! `xiaokang demo`: the whole way once, on the sample county that comes with the pack.

use std::path::PathBuf;

use model::{Lang, Text, text};

use crate::arguments::{AssessOptions, DateArgument, DemoOptions, ExplainOptions, ImportOptions};
use crate::console::{CommandResult, Failure, Outcome, load_pack, say};
use crate::{assess, explain, import};

pub mod bank;
pub mod cast;
pub mod story;

/// Workbooks of the sample county, as an office keeps them.
const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];

pub fn run(options: &DemoOptions, lang: Lang) -> CommandResult {
    let data = options.pack.join("data").join("xiangcheng");
    if !data.is_dir() {
        let pack = options.pack.display();
        return Err(Failure::with_hint(
            text!("“{pack}”没有样例数据", "`{pack}` has no sample data"),
            Text::new(
                "请在项目文件夹中运行演示，或用 --pack 指明政策包",
                "run the demo from the project's folder, or name the pack with --pack",
            ),
        ));
    }
    let folder = options
        .dir
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("xiaokang-demo-{}", std::process::id())));
    let registry = folder.join("registry");
    let run = folder.join("run");
    let as_of = load_pack(&options.pack, &[], &[])?.program.info.as_of;
    heading(lang, "一、导入乡城县五本工作簿", "1. import the five workbooks of Xiangcheng");
    import::run(
        &ImportOptions {
            registry: registry.clone(),
            pack: options.pack.clone(),
            files: FILES.iter().map(|file| data.join(file)).collect::<Vec<PathBuf>>(),
            report: None,
            preview: false,
            allow_erase: false,
            as_of: None,
            actor: "demo".to_owned(),
            json: false,
        },
        lang,
    )?;
    heading(lang, "二、按决定评估", "2. assess by the Decision");
    assess::run(
        &AssessOptions {
            registry: Some(registry.clone()),
            snapshot: None,
            pack: options.pack.clone(),
            as_of: DateArgument(as_of),
            out: Some(run.clone()),
            totals_only: false,
            memory: None,
            timings: false,
            cluster: None,
            cluster_secret: None,
            staging: None,
            previous: None,
            set: Vec::new(),
            overlay: Vec::new(),
            threads: None,
            json: false,
        },
        lang,
    )?;
    let cast = cast::Cast::find(&registry, &options.pack, story::started(), lang)?;
    heading(lang, "三、为什么", "3. why");
    explain::run(
        &ExplainOptions {
            snapshot: None,
            run,
            pack: None,
            entity: "household".to_owned(),
            key: cast.objected.clone(),
            rule: Some("minimum_living".to_owned()),
            json: false,
        },
        lang,
    )?;
    heading(
        lang,
        "四、一个村的低保：从申请到任何人都能核对的到账",
        "4. one village: from the application to a payment that anyone verifies",
    );
    let mut teller = story::Teller::new(&folder, &registry, &options.pack, lang, cast);
    story::whole(&mut teller)?;
    Ok(Outcome::Done)
}

fn heading(lang: Lang, zh: &str, en: &str) {
    say!("\n── {} ──\n", if lang == Lang::Zh { zh } else { en });
}
