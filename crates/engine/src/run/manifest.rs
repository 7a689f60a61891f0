//! `manifest.json`: what went into a run and what came out, without any clock. Written and read through one type.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use model::{AsProblem as _, Date};
use pack::program::{Dated, Parameter, ParameterShape, Program, Source, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use thiserror::Error;

use super::output::Written;
use super::totals::Totals;
use crate::Finding;
use crate::desugar::decimals;
use crate::parameters::in_force;

/// The format of a run directory. Runs of format 1 do not say what they do not know.
pub const FORMAT: u32 = 2;

/// The manifest's file in a run's folder.
const FILE: &str = "manifest.json";

/// What a run was made of, and what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    pub format: u32,
    pub engine: EngineNote,
    pub pack: PackNote,
    pub snapshot: SnapshotNote,
    #[serde(with = "day")]
    pub as_of: Date,
    /// The values in force of every parameter.
    pub parameters: Vec<Json>,
    /// Files of the folder by name; none of a run that was written nowhere.
    pub files: BTreeMap<String, FileNote>,
    /// Number of findings by code.
    pub findings: BTreeMap<String, u64>,
    /// By id: counts, and sums scaled as their column (money in fen). Numbers that not every reader keeps exact are
    /// texts.
    #[serde(with = "exact")]
    pub totals: BTreeMap<String, i128>,
    /// By the same ids: records whose condition or value is unknown, and which the total therefore leaves out.
    pub unknown: BTreeMap<String, u64>,
    /// By the same ids: records that the total is about, the unknown ones included. Divisions where nothing is
    /// recorded are none.
    pub subjects: BTreeMap<String, u64>,
    /// By the same ids: rows of some of the unknown records in the snapshot, in order. Totals without any are not here.
    pub unknown_sample: BTreeMap<String, Vec<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineNote {
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackNote {
    pub id: String,
    pub version: String,
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotNote {
    /// As seen from the run's folder, where that is possible; else as it was named.
    pub path: String,
    pub digest: String,
    /// Rows of each entity.
    pub rows: BTreeMap<String, u64>,
    /// Id of the registry that it was taken from; none if it was made otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    pub rows: u64,
    pub sha256: String,
}

/// Why a folder is not taken for a run.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ManifestError {
    Absent,
    Io(std::io::Error),
    Damaged(serde_json::Error),
    Format { found: u64 },
}

impl RunManifest {
    /// Reads the manifest of the run in a folder.
    ///
    /// # Errors
    /// A folder that is no run, or one of another format.
    pub fn read(run: &Path) -> Result<Self, ManifestError> {
        let bytes = std::fs::read(run.join(FILE)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ManifestError::Absent,
            _ => ManifestError::Io(error),
        })?;
        let json: Json = serde_json::from_slice(&bytes).map_err(ManifestError::Damaged)?;
        let found = json["format"].as_u64().unwrap_or(0);
        if found != u64::from(FORMAT) {
            return Err(ManifestError::Format { found });
        }
        serde_json::from_value(json).map_err(ManifestError::Damaged)
    }

    /// Writes it into the folder of a run.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, run: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(run.join(FILE), text + "\n")
    }

    /// The unknown records of a total as a share of those it is about, times 10,000 and rounded up; none if it is about
    /// nothing.
    pub fn unknown_share(&self, total: &str) -> Option<u64> {
        let subjects = self.subjects.get(total).copied().filter(|subjects| *subjects > 0)?;
        let unknown = u128::from(self.unknown.get(total).copied().unwrap_or(0));
        u64::try_from((unknown * 10_000).div_ceil(u128::from(subjects))).ok()
    }
}

/// What a manifest is made of.
pub(crate) struct Contents<'a> {
    pub program: &'a Program,
    pub as_of: Date,
    pub snapshot: SnapshotNote,
    pub files: &'a [Written],
    pub findings: &'a [Finding],
    pub totals: &'a Totals,
    /// Records that each total is about, in order of declaration.
    pub subjects: Vec<u64>,
}

impl Contents<'_> {
    pub fn manifest(self) -> RunManifest {
        let program = self.program;
        let files = self.files.iter().map(|file| {
            let Written { name, rows, sha256 } = file;
            (name.clone(), FileNote { rows: *rows, sha256: sha256.clone() })
        });
        let tallies = || program.totals.iter().map(|total| total.id.clone()).zip(&self.totals.0);
        let parameters = program.parameters.iter();
        RunManifest {
            format: FORMAT,
            engine: EngineNote { name: "xiaokang".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            pack: PackNote {
                id: program.info.id.clone(),
                version: program.info.version.clone(),
                digest: program.digest.clone(),
            },
            as_of: self.as_of,
            parameters: parameters.map(|parameter| parameter_json(parameter, self.as_of)).collect(),
            files: files.collect(),
            findings: finding_counts(self.findings),
            totals: tallies().map(|(id, tally)| (id, tally.value)).collect(),
            unknown: tallies().map(|(id, tally)| (id, tally.unknown)).collect(),
            subjects: program.totals.iter().map(|total| total.id.clone()).zip(self.subjects).collect(),
            unknown_sample: tallies()
                .filter(|(_, tally)| tally.unknown > 0)
                .map(|(id, tally)| (id, tally.sample()))
                .collect(),
            snapshot: self.snapshot,
        }
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

/// A number where JSON readers keep it exact, else a text.
pub fn exact_json(value: i128) -> Json {
    i64::try_from(value).map_or_else(|_| Json::from(value.to_string()), Json::from)
}

/// A date as people write it.
mod day {
    use model::Date;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

mod exact {
    use std::collections::BTreeMap;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use serde_json::Value as Json;

    pub fn serialize<S: Serializer>(
        totals: &BTreeMap<String, i128>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(totals.iter().map(|(id, value)| (id, super::exact_json(*value))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, i128>, D::Error> {
        let read = |(id, value): (String, Json)| {
            let number = value.as_i64().map(i128::from).or_else(|| value.as_str()?.parse().ok());
            number
                .map(|number| (id, number))
                .ok_or_else(|| D::Error::custom(format!("`{value}` is no total")))
        };
        BTreeMap::<String, Json>::deserialize(deserializer)?.into_iter().map(read).collect()
    }
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
    fn the_share_of_the_unknown_is_rounded_up() {
        let mut manifest = empty();
        for (unknown, subjects, expected) in
            [(0, 3, Some(0)), (1, 3, Some(3334)), (3, 3, Some(10_000)), (0, 0, None)]
        {
            manifest.unknown = BTreeMap::from([("poor".to_owned(), unknown)]);
            manifest.subjects = BTreeMap::from([("poor".to_owned(), subjects)]);
            assert_eq!(manifest.unknown_share("poor"), expected, "{unknown} of {subjects}");
        }
    }

    #[test]
    fn a_manifest_reads_as_it_was_written_and_no_other_format_is_taken_for_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(RunManifest::read(folder.path()), Err(ManifestError::Absent)));
        let mut manifest = empty();
        manifest.totals =
            BTreeMap::from([("poor".to_owned(), 3), ("paid".to_owned(), i128::from(u64::MAX) * 9)]);
        manifest.write(folder.path()).expect("it can be written");
        assert_eq!(RunManifest::read(folder.path()).expect("it can be read"), manifest);
        std::fs::write(folder.path().join(FILE), r#"{"format": 1, "as_of": "2015-12-31"}"#).expect("a file");
        assert!(matches!(RunManifest::read(folder.path()), Err(ManifestError::Format { found: 1 })));
        std::fs::write(folder.path().join(FILE), r#"{"format": 2, "totals": {}}"#).expect("a file");
        assert!(matches!(RunManifest::read(folder.path()), Err(ManifestError::Damaged(_))));
    }

    fn empty() -> RunManifest {
        let program = Program::default();
        let snapshot = SnapshotNote {
            path: String::new(),
            digest: String::new(),
            rows: BTreeMap::new(),
            registry: None,
        };
        let as_of = "2015-12-31".parse().expect("a date");
        let totals = Totals(vec![]);
        let (files, findings, subjects) = (&[], &[], vec![]);
        Contents { program: &program, as_of, snapshot, files, findings, totals: &totals, subjects }.manifest()
    }

    #[test]
    fn scaled_numbers_are_written_with_their_decimals() {
        let check = |value, decimals, expected: &str| assert_eq!(decimal(value, decimals), expected);
        check(285_500, 2, "2855.00");
        check(-5, 4, "-0.0005");
        check(7, 0, "7");
    }
}
