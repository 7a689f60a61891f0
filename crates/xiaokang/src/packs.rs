//! `xiaokang pack …`

use std::collections::BTreeMap;

use app::cases::{self, CaseResult};
use app::mutate::{Mutation, Selection};
use engine_text::shown;
use model::{Lang, text};
use pack::program::Program;

use crate::arguments::{
    CaseEngine, DialectArgument, PackCommand, PackCompileOptions, PackCoverageOptions, PackDocsOptions,
    PackFolder, PackMutateOptions, PackTestOptions,
};
use crate::console::{CommandResult, Failure, Outcome, load_pack, progress_bar, say};

pub fn run(command: &PackCommand, lang: Lang) -> CommandResult {
    match command {
        PackCommand::Check(folder) => check(folder, lang),
        PackCommand::Test(options) => test(options, lang),
        PackCommand::Coverage(options) => coverage(options, lang),
        PackCommand::Docs(options) => docs(options),
        PackCommand::Forms(options) => forms(options),
        PackCommand::Compile(options) => compile(options),
        PackCommand::Mutate(options) => mutate(options, lang),
    }
}

fn check(folder: &PackFolder, lang: Lang) -> CommandResult {
    let program = load_pack(&folder.pack, &folder.overlay, &[])?.program;
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for rule in &program.rules {
        *kinds.entry(rule.kind).or_default() += 1;
    }
    let rules: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{count} {}", kind.name().get(lang))).collect();
    match lang {
        Lang::Zh => say!(
            "{} {}：{} 个实体，{} 个字段，{}，{} 个参数，{} 个条款，{} 个算例。没有错误。",
            program.info.title.zh,
            program.info.version,
            program.entities.len(),
            fields(&program),
            rules.join("，"),
            program.parameters.len(),
            program.clauses.len(),
            program.cases.len()
        ),
        Lang::En => say!(
            "{} {}: {} entities, {} fields, {}, {} parameters, {} clauses, {} worked cases. No mistakes.",
            program.info.title.en,
            program.info.version,
            program.entities.len(),
            fields(&program),
            rules.join(", "),
            program.parameters.len(),
            program.clauses.len(),
            program.cases.len()
        ),
    }
    Ok(Outcome::Done)
}

fn fields(program: &Program) -> usize {
    program.entities.iter().map(|entity| entity.fields.len()).sum()
}

fn test(options: &PackTestOptions, lang: Lang) -> CommandResult {
    let program = load_pack(&options.folder.pack, &options.folder.overlay, &[])?.program;
    let mut failed = 0;
    let mut passed = 0;
    let asked = |engine: CaseEngine| options.engine.is_none_or(|asked| asked == engine);
    if asked(CaseEngine::Interpreter) {
        let (good, bad) = print_results(&program, "interpreter", &cases::interpreted(&program), lang);
        passed += good;
        failed += bad;
    }
    if asked(CaseEngine::Aligned) {
        let results = cases::executed(&program).map_err(Failure::internal)?;
        let (good, bad) = print_results(&program, "aligned", &results, lang);
        passed += good;
        failed += bad;
    }
    match lang {
        Lang::Zh => say!("通过 {passed}，失败 {failed}"),
        Lang::En => say!("{passed} passed, {failed} failed"),
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}

fn print_results(program: &Program, engine: &str, results: &[CaseResult], lang: Lang) -> (usize, usize) {
    let mut failed = 0;
    for result in results {
        if result.mismatches.is_empty() {
            continue;
        }
        failed += 1;
        say!("✗ {} ({engine})", result.name);
        if let Some(why) = &result.why {
            say!("    {why}");
        }
        for mismatch in &result.mismatches {
            let place = place(program, mismatch.span);
            let expected = shown(program, mismatch, mismatch.expected.as_ref(), lang);
            let found = match &mismatch.found {
                Ok(value) => shown(program, mismatch, value.as_ref(), lang),
                Err(error) => error.clone(),
            };
            say!(
                "    {} {} {}: expected {expected}, found {found}  [{place}]",
                mismatch.entity,
                mismatch.key,
                mismatch.column
            );
        }
    }
    (results.len() - failed, failed)
}

fn place(program: &Program, span: pack::program::Span) -> String {
    let Some(file) = program.files.get(span.file as usize) else { return String::new() };
    let line = file.text.get(..span.start as usize).unwrap_or("").matches('\n').count() + 1;
    format!("{}:{line}", file.name)
}

mod engine_text {
    use app::cases::Mismatch;
    use model::Lang;
    use pack::program::{Program, Value};

    /// A value with its unit, as explanations write it.
    pub fn shown(program: &Program, mismatch: &Mismatch, value: Option<&Value>, lang: Lang) -> String {
        let column = program
            .entity_named(&mismatch.entity)
            .and_then(|entity| program.column_named(entity, &mismatch.column));
        match column {
            Some(id) => app::value_text(program, &program.column(id).ty, value, lang),
            None => format!("{value:?}"),
        }
    }
}

fn coverage(options: &PackCoverageOptions, lang: Lang) -> CommandResult {
    let folder = &options.folder;
    let program = load_pack(&folder.pack, &folder.overlay, &[])?.program;
    let coverage = app::coverage::of(&program);
    let ran = match &options.run {
        Some(run) if !run.is_dir() => {
            return Err(Failure::input({
                let run = run.display();
                text!("“{run}”不是运行文件夹", "`{run}` is not the folder of a run")
            }));
        }
        Some(run) => Some(app::coverage::in_run(&program, run)?),
        None => None,
    };
    if let Some(path) = &options.html {
        let page = coverage.to_html(&program, ran.as_ref(), lang).map_err(Failure::internal)?;
        std::fs::write(path, page).map_err(|error| Failure::file(path, &error))?;
        say!("{}", path.display());
    } else if folder.json {
        say!("{:#}", coverage.to_json(ran.as_ref()));
    } else {
        say!("{}", coverage.to_text(&program, ran.as_ref(), lang).trim_end());
    }
    Ok(if coverage.complete() { Outcome::Done } else { Outcome::Findings })
}

fn docs(options: &PackDocsOptions) -> CommandResult {
    let program = load_pack(&options.folder.pack, &options.folder.overlay, &[])?.program;
    let written = app::dictionary::write(&program, &options.out)?;
    for path in written {
        say!("{}", path.display());
    }
    Ok(Outcome::Done)
}

fn forms(options: &PackDocsOptions) -> CommandResult {
    let program = load_pack(&options.folder.pack, &options.folder.overlay, &[])?.program;
    for path in app::forms::write(&program, &options.out)? {
        say!("{}", path.display());
    }
    Ok(Outcome::Done)
}

fn compile(options: &PackCompileOptions) -> CommandResult {
    let program = load_pack(&options.folder.pack, &options.folder.overlay, &[])?.program;
    let as_of = options.as_of.map_or(program.info.as_of, |date| date.0);
    let dialect = match options.dialect {
        DialectArgument::Datafusion => app::Dialect::DataFusion,
        DialectArgument::Postgres => app::Dialect::Postgres,
        DialectArgument::Duckdb => app::Dialect::DuckDb,
    };
    let script = app::sql_script(&program, as_of, dialect)?;
    say!("{}", script.trim_end());
    Ok(Outcome::Done)
}

fn mutate(options: &PackMutateOptions, lang: Lang) -> CommandResult {
    let pack = load_pack(&options.folder.pack, &options.folder.overlay, &[])?;
    let program = pack.apart().map_err(Failure::internal)?;
    let selection = Selection { files: options.only.clone(), sample: options.sample, seed: options.seed };
    let bar = progress_bar(if lang == Lang::Zh { "运行算例" } else { "running cases" });
    let found = app::mutate::mutate(&program, &selection, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    if options.folder.json {
        say!("{:#}", mutation_json(&found));
    } else {
        say!("{}", mutation_text(&found, lang).trim_end());
    }
    let wanted = usize::from(options.at_least.unwrap_or(0)) * 100;
    let enough = found.failing.is_empty() && found.share() >= wanted;
    Ok(if enough { Outcome::Done } else { Outcome::Findings })
}

fn mutation_json(found: &Mutation) -> serde_json::Value {
    let missed: Vec<serde_json::Value> = found
        .mutants
        .iter()
        .filter(|mutant| !mutant.caught)
        .map(|mutant| {
            serde_json::json!({
                "file": mutant.file, "line": mutant.line, "column": mutant.column,
                "text": mutant.text, "change": mutant.change, "kind": mutant.kind,
            })
        })
        .collect();
    let kinds: serde_json::Map<String, serde_json::Value> = found
        .kinds()
        .into_iter()
        .map(|(kind, (caught, all))| {
            (kind.to_owned(), serde_json::json!({ "caught": caught, "mutants": all }))
        })
        .collect();
    serde_json::json!({
        "mutants": found.mutants.len(), "caught": found.caught(), "kinds": kinds, "missed": missed,
        "failing_cases": found.failing,
    })
}

fn mutation_text(found: &Mutation, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let mut text = String::new();
    for name in &found.failing {
        let what = if zh { "算例不通过，未用于检验" } else { "fails as it is, and was not used" };
        text.push_str(&format!("✗ {name}: {what}\n"));
    }
    for mutant in found.mutants.iter().filter(|mutant| !mutant.caught) {
        let place = format!("{}:{}:{}", mutant.file, mutant.line, mutant.column);
        text.push_str(&format!("{place}  {}  {}\n", mutant.change, shortened(&mutant.text)));
    }
    for (kind, (caught, all)) in found.kinds() {
        text.push_str(&format!("{kind}: {caught} / {all}\n"));
    }
    let (caught, all, share) = (found.caught(), found.mutants.len(), found.share());
    let percent = format!("{}.{:02}", share / 100, share % 100);
    text.push_str(&if zh {
        format!("{all} 处改动中有 {caught} 处被算例发现（{percent} %）\n")
    } else {
        format!("of {all} changes the worked cases notice {caught} ({percent} %)\n")
    });
    text
}

fn shortened(text: &str) -> String {
    const LENGTH: usize = 72;
    if text.chars().count() <= LENGTH {
        return text.to_owned();
    }
    text.chars().take(LENGTH).collect::<String>() + "…"
}
