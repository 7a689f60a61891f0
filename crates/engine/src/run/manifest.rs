//! `manifest.json`: what went into a run and what came out, without any clock.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use model::Date;
use pack::program::{Dated, Parameter, ParameterShape, Program, Source, Type, Value};
use serde_json::{Value as Json, json};

use super::output::Written;
use super::totals::Totals;
use crate::Finding;
use crate::desugar::decimals;
use crate::parameters::in_force;

/// The format of a run directory.
pub const FORMAT: u32 = 1;

pub(crate) struct Contents<'a> {
    pub program: &'a Program,
    pub as_of: Date,
    /// Path of the snapshot as stored.
    pub snapshot: String,
    pub snapshot_digest: &'a str,
    /// Rows of each entity of the snapshot.
    pub rows: &'a BTreeMap<String, u64>,
    pub files: &'a [Written],
    pub findings: &'a [Finding],
    pub totals: &'a Totals,
}

impl Contents<'_> {
    pub fn json(&self) -> Json {
        let program = self.program;
        let files: serde_json::Map<String, Json> = self
            .files
            .iter()
            .map(|file| (file.name.clone(), json!({ "rows": file.rows, "sha256": file.sha256 })))
            .collect();
        let totals: serde_json::Map<String, Json> = program
            .totals
            .iter()
            .zip(&self.totals.0)
            .map(|(total, value)| (total.id.clone(), integer(*value)))
            .collect();
        let parameters: Vec<Json> =
            program.parameters.iter().map(|parameter| parameter_json(parameter, self.as_of)).collect();
        json!({
            "format": FORMAT,
            "engine": { "name": "xiaokang", "version": env!("CARGO_PKG_VERSION") },
            "pack": {
                "id": program.info.id,
                "version": program.info.version,
                "digest": program.digest,
            },
            "snapshot": { "path": self.snapshot, "digest": self.snapshot_digest, "rows": self.rows },
            "as_of": self.as_of.to_string(),
            "parameters": parameters,
            "files": files,
            "findings": finding_counts(self.findings),
            "totals": totals,
        })
    }
}

/// Number of findings by code.
pub(crate) fn finding_counts(findings: &[Finding]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.code.clone()).or_insert(0) += 1;
    }
    counts
}

/// As a number where JSON readers keep it exact, else as text.
fn integer(value: i128) -> Json {
    i64::try_from(value).map_or_else(|_| Json::from(value.to_string()), Json::from)
}

fn parameter_json(parameter: &Parameter, as_of: Date) -> Json {
    let value = |value: &Value| value_json(value, &parameter.ty);
    match &parameter.shape {
        ParameterShape::Scalar(values) => {
            dated_json(parameter, in_force(values, as_of), |dated| value(dated))
        }
        ParameterShape::Table { values, .. } => dated_json(parameter, in_force(values, as_of), |table| {
            table
                .iter()
                .map(|(code, entry)| (code.clone(), value(entry)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }),
        ParameterShape::Brackets { over, values } => {
            dated_json(parameter, in_force(values, as_of), |steps| {
                let step = |step: &pack::program::BracketStep| {
                    json!({
                        "from": decimal(step.from, over.decimals),
                        "rate": decimal(step.rate, decimals(&parameter.ty)),
                    })
                };
                steps.iter().map(step).collect()
            })
        }
    }
}

fn dated_json<T>(parameter: &Parameter, dated: Option<&Dated<T>>, value: impl Fn(&T) -> Json) -> Json {
    let Some(dated) = dated else {
        return json!({ "id": parameter.id, "value": null });
    };
    let (source, reference) = match &dated.source {
        Source::Official(reference) => ("official", Some(reference)),
        Source::Assumed => ("assumed", None),
        Source::Override => ("override", None),
    };
    json!({
        "id": parameter.id,
        "value": value(&dated.value),
        "from": dated.from.to_string(),
        "source": source,
        "reference": reference,
    })
}

fn value_json(value: &Value, ty: &Type) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Number(value) => Json::from(decimal(*value, decimals(ty))),
        Value::Date(date) => Json::from(date.to_string()),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Index(value) => Json::from(*value),
    }
}

/// A scaled number as it is written: 285500 with two decimals is `2855.00`.
fn decimal(value: i128, decimals: u8) -> String {
    if decimals == 0 {
        return value.to_string();
    }
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}

/// `target` as seen from the folder `from`, if they have more than the root in common; both absolute.
pub(crate) fn relative(from: &Path, target: &Path) -> PathBuf {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), target.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if !from.iter().take(common).any(|part| matches!(part, Component::Normal(_))) {
        return target.to_owned();
    }
    let up = from[common..].iter().map(|_| Component::ParentDir);
    up.chain(to[common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_beside_the_run_is_named_relative_to_it() {
        let check = |from: &str, target: &str, expected: &str| {
            assert_eq!(relative(Path::new(from), Path::new(target)), Path::new(expected));
        };
        check("/data/runs/1", "/data/snapshots/7", "../../snapshots/7");
        check("/data/runs/1", "/elsewhere/7", "/elsewhere/7");
    }

    #[test]
    fn scaled_numbers_are_written_with_their_decimals() {
        let check = |value, decimals, expected: &str| assert_eq!(decimal(value, decimals), expected);
        check(285_500, 2, "2855.00");
        check(-5, 4, "-0.0005");
        check(7, 0, "7");
    }
}
