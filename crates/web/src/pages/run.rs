//! Where the figures come from: the run, its pack, its snapshot, its parameters and on whose word they stand.

use app::explained::unit_text;
use askama::Template;
use model::Lang;
use pack::program::{Parameter, ParameterShape, Program, Type};

use crate::answer::{Answer, html};
use crate::format;
use crate::phrase;
use crate::shell::{Desk, Section, Shell};

#[derive(Template)]
#[template(path = "run.html")]
struct Page {
    s: Shell,
    facts: Vec<(&'static str, String)>,
    parameters: Vec<ParameterView>,
    assumed: String,
}

struct ParameterView {
    title: String,
    values: Vec<String>,
    from: String,
    /// The document it stands in; none of an example.
    reference: Option<String>,
}

pub fn page(desk: &Desk) -> Answer {
    let (w, manifest, program) = (desk.w, desk.reading.manifest(), desk.reading.program());
    let records: u64 = manifest.snapshot.rows.values().sum();
    let parameters: Vec<ParameterView> =
        manifest.parameters.iter().filter_map(|value| parameter(desk, program, value)).collect();
    let assumed = parameters.iter().filter(|parameter| parameter.reference.is_none()).count();
    let page = Page {
        s: desk.shell(Section::Other, w.run_page),
        facts: vec![
            (w.as_of, manifest.as_of.to_string()),
            (
                w.pack,
                format!("{} {} {}", program.info.title.get(desk.lang), program.info.id, program.info.version),
            ),
            (w.digest, program.digest.clone()),
            (w.snapshot, manifest.snapshot.digest.clone()),
            (w.total, format!("{} {}", format::count(records), w.records)),
            (w.engine, format!("{} {}", manifest.engine.name, manifest.engine.version)),
        ],
        assumed: phrase::assumed(assumed, parameters.len(), desk.lang),
        parameters,
    };
    html(&page)
}

/// A number with its thousands apart and its unit.
fn with_unit(program: &Program, parameter: &Parameter, text: &str, lang: Lang) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match &parameter.ty {
        Type::Number(ty) if is_number => {
            let text = format::grouped(text);
            let text =
                if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            format!("{text} {}", unit_text(program, &ty.unit, lang)).trim_end().to_owned()
        }
        _ => text.to_owned(),
    }
}

fn parameter(desk: &Desk, program: &Program, value: &serde_json::Value) -> Option<ParameterView> {
    let declared = program.parameter_named(value["id"].as_str()?)?;
    let values = match &value["value"] {
        serde_json::Value::String(text) => vec![with_unit(program, declared, text, desk.lang)],
        serde_json::Value::Object(table) => {
            let label = |code: &str| match &declared.shape {
                ParameterShape::Table { list, .. } => {
                    let codes = &program.lists[list.index()].codes;
                    let found = codes.iter().find(|known| known.code == code);
                    found.map_or(code, |found| found.label.get(desk.lang)).to_owned()
                }
                _ => code.to_owned(),
            };
            let entry = |(code, value): (&String, &serde_json::Value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), |text| with_unit(program, declared, text, desk.lang));
                format!("{}{}{value}", label(code), phrase::colon(desk.lang))
            };
            table.iter().map(entry).collect()
        }
        other => vec![other.to_string()],
    };
    let title = match declared.label.get(desk.lang) {
        "" => declared.id.clone(),
        label => label.to_owned(),
    };
    Some(ParameterView {
        title,
        values,
        from: value["from"].as_str().unwrap_or_default().to_owned(),
        reference: (value["source"] != "assumed")
            .then(|| value["reference"].as_str().unwrap_or_default().to_owned()),
    })
}
