//! `xiaokang demo`: the whole way once, on the sample county that comes with the pack, and then its pages.

use std::path::{Path, PathBuf};

use app::accounts::{self, Grant, NewAccount};
use model::{DivisionCode, Lang, Moment, Text, text};

use crate::account::new_password;
use crate::acting::random;
use crate::arguments::{
    AssessOptions, DateArgument, DemoOptions, ExplainOptions, ImportOptions, ServeOptions,
};
use crate::console::{CommandResult, Failure, Outcome, load_pack, now_ms, open_registry, say};
use crate::{assess, explain, import, serve};

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
            run: run.clone(),
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
    if options.once {
        return Ok(Outcome::Done);
    }
    heading(lang, "五、打开页面", "5. open the pages");
    users(&registry, &options.pack, &teller.cast.village, lang)?;
    serve::run(&ServeOptions { registry, run: Some(run), bind: options.bind, https: false }, lang)
}

/// An account for every role that belongs to a division of the story, all with one password that this demo alone has.
fn users(registry: &Path, pack: &Path, village: &str, lang: Lang) -> Result<(), Failure> {
    let pack = load_pack(pack, &[], &[])?;
    let program = &pack.program;
    let mut registry = open_registry(registry, program)?;
    let password = new_password();
    let village: DivisionCode = village.parse().map_err(Failure::internal)?;
    let now = Moment::from_unix_ms(now_ms());
    for role in &program.roles {
        let level = role.level.and_then(|level| program.entity(level).division.as_deref());
        let place = level.and_then(|level| level.parse().ok()).and_then(|level| village.at(level));
        let Some(place) = place else { continue };
        let place = place.short();
        let grants = vec![Grant { role: role.id.clone(), place: place.clone() }];
        let title = role.label.get(lang);
        // Pages call them by their role, in the reader's language.
        let account = NewAccount { name: &role.id, title: "", password: &password, grants };
        accounts::save(&mut registry, &account, now, &random())?;
        say!("  {}  {title}  {place}", role.id);
    }
    say!(
        "{} {password}",
        if lang == Lang::Zh { "  密码（全部相同）：" } else { "  password (the same for all):" }
    );
    Ok(())
}

fn heading(lang: Lang, zh: &str, en: &str) {
    say!("\n── {} ──\n", if lang == Lang::Zh { zh } else { en });
}
