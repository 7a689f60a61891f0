//! Draws as a profile writes them, compiled for one column.

use std::collections::BTreeMap;

use pack::program::Type;
use toml::{Table, Value};

use crate::draw::{Draw, Piece, Shaping};
use crate::error::{Result, SynthError};
use crate::random::Weighted;
use crate::reference::{self, Reference, Target, Usage};
use crate::shape::Shape;

/// Lists of syllables and words, by name.
pub type Lists = BTreeMap<String, Weighted<String>>;

/// Compiles the draws of one column.
pub struct Compiler<'c, 'p> {
    shape: &'c Shape<'p>,
    lists: &'c Lists,
    entity: usize,
    place: String,
    kind: Kind,
    decimals: u8,
    pub references: Vec<Reference>,
    /// Texts that numbers stand for.
    pub choices: Vec<String>,
    /// Whether some text is not one of the choices.
    pub free: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Bool,
    Date,
    /// The choices are those of a list.
    Code,
    Text,
}

impl<'c, 'p> Compiler<'c, 'p> {
    pub fn new(shape: &'c Shape<'p>, lists: &'c Lists, entity: usize, place: String, ty: &Type) -> Self {
        let (kind, choices) = match ty {
            Type::Bool => (Kind::Bool, Vec::new()),
            Type::Number(_) | Type::Index => (Kind::Number, Vec::new()),
            Type::Date => (Kind::Date, Vec::new()),
            Type::Code(list) => {
                let codes = &shape.program.lists[list.index()].codes;
                (Kind::Code, codes.iter().map(|code| code.code.clone()).collect())
            }
            Type::Text => (Kind::Text, Vec::new()),
        };
        let decimals = match ty {
            Type::Number(number) => number.decimals,
            Type::Index => crate::shape::INDEX_DECIMALS,
            _ => 0,
        };
        Self { shape, lists, entity, place, kind, decimals, references: Vec::new(), choices, free: false }
    }

    pub fn error(&self, detail: impl Into<String>) -> SynthError {
        SynthError::profile(&self.place, detail)
    }

    /// A draw: a plain value, or a table whose first key says what it is.
    pub fn draw(&mut self, value: &Value) -> Result<Draw> {
        let Value::Table(table) = value else { return Ok(Draw::Constant(self.constant(value)?)) };
        let mut table = table.clone();
        let shaping = self.shaping(&mut table)?;
        let draw = self.plain(&mut table)?;
        if let Some(key) = table.keys().next() {
            return Err(self.error(format!("`{key}` is not understood here")));
        }
        Ok(match shaping {
            Some(shape) => Draw::Shaped { draw: Box::new(draw), shape: Box::new(shape) },
            None => draw,
        })
    }

    fn plain(&mut self, table: &mut Table) -> Result<Draw> {
        let take = |table: &mut Table, keys: &[&str]| {
            let key = keys.iter().find(|key| table.contains_key(**key))?;
            Some(((*key).to_owned(), table.remove(*key)?))
        };
        let keys = [
            // First: what is drawn stands beside these.
            "share",
            "plus",
            "years_after",
            "constant",
            "chance",
            "uniform",
            "weights",
            "values",
            "magnitude",
            "log_normal",
            "normal",
            "poisson",
            "ages",
            "age",
            "copy",
            "sum",
            "by",
            "sequence",
            "ends_with",
            "text",
            "citizen_number",
        ];
        let Some((key, value)) = take(table, &keys) else {
            return Err(self.error(format!("one of `{}` is needed", keys.join("`, `"))));
        };
        match key.as_str() {
            "constant" => Ok(Draw::Constant(self.constant(&value)?)),
            "chance" => self.chance(&value),
            "uniform" => self.pair(&value).map(|(min, max)| Draw::Uniform(min, max)),
            "magnitude" => self.pair(&value).map(|(min, max)| Draw::Magnitude { min, max }),
            "weights" | "values" => self.weights(&value),
            "log_normal" | "normal" => self.shaped_like(&key, &value),
            "poisson" => {
                Ok(Draw::Poisson { mean: self.float(&value)?, unit: 10_i64.pow(self.decimals.into()) })
            }
            "ages" => self.ages(&value),
            "age" => Ok(Draw::Age { of: self.number_of(&value)?, as_of: self.as_of() }),
            "copy" => self.copy(&value),
            "sum" => self.sum(&value),
            "share" | "plus" | "years_after" => self.relative(&key, &value, table),
            "by" => self.choose(&value, table),
            "sequence" => self.sequence(&value),
            "ends_with" => self.ends_with(&value, table),
            "text" => self.template(&value),
            _ => self.citizen_number(&value),
        }
    }

    fn shaping(&mut self, table: &mut Table) -> Result<Option<Shaping>> {
        let mut shape = Shaping::default();
        let mut any = false;
        for key in ["step", "min", "max"] {
            if let Some(value) = table.remove(key) {
                let number = Some(self.constant(&value)?);
                match key {
                    "step" => shape.step = number.filter(|step| *step > 1),
                    "min" => shape.min = number,
                    _ => shape.max = number,
                }
                any = true;
            }
        }
        if let Some(value) = table.remove("times") {
            shape.times = Some(self.number_of(&value)?);
            any = true;
        }
        if let Some(Value::Array(heaps)) = table.remove("heaps") {
            for heap in &heaps {
                let chance = heap.get("chance").ok_or_else(|| self.error("a heap needs its `chance`"))?;
                let at = heap.get("at").and_then(Value::as_array);
                let at = at
                    .filter(|at| !at.is_empty())
                    .ok_or_else(|| self.error("a heap needs its values `at`"))?;
                let values = at.iter().map(|value| self.constant(value)).collect::<Result<_>>()?;
                shape.heaps.push((self.float(chance)?, values));
            }
            any = true;
        }
        Ok(any.then_some(shape))
    }

    /// A value as written, as the column stores it.
    fn constant(&mut self, value: &Value) -> Result<i64> {
        let wrong = |this: &Self| this.error(format!("`{}` is not a value of this column", shown(value)));
        match (self.kind, value) {
            (_, Value::String(text)) if text == "unknown" => Ok(crate::values::UNKNOWN),
            (Kind::Number, Value::String(text)) => self.parameter(text),
            (Kind::Number, _) => self.float(value).map(|number| self.scaled(number)),
            (Kind::Bool, Value::Boolean(flag)) => Ok((*flag).into()),
            (Kind::Bool, Value::String(text)) if text == "true" || text == "false" => {
                Ok((text == "true").into())
            }
            (Kind::Date, Value::Datetime(date)) => {
                let date = date.to_string();
                date.parse::<model::Date>().map(|date| date.days().into()).map_err(|_| wrong(self))
            }
            // Days added to a day, or years.
            (Kind::Date, Value::Integer(days)) => Ok(*days),
            (Kind::Code, Value::String(code)) => {
                let found = self.choices.iter().position(|known| known == code);
                found.map(|index| index as i64).ok_or_else(|| wrong(self))
            }
            (Kind::Text, Value::String(text)) => Ok(self.choice(text)),
            _ => Err(wrong(self)),
        }
    }

    fn choice(&mut self, text: &str) -> i64 {
        let found = self.choices.iter().position(|known| known == text);
        found.unwrap_or_else(|| {
            self.choices.push(text.to_owned());
            self.choices.len() - 1
        }) as i64
    }

    /// `param.poverty_line`: its value on the as-of date.
    fn parameter(&self, text: &str) -> Result<i64> {
        let found = text.strip_prefix("param.").and_then(|id| self.shape.parameter(id));
        let (value, decimals) =
            found.ok_or_else(|| self.error(format!("`{text}` is no number and no parameter in force")))?;
        let power = i32::from(self.decimals) - i32::from(decimals);
        Ok((value as f64 * 10_f64.powi(power)).round() as i64)
    }

    fn scaled(&self, number: f64) -> i64 {
        (number * 10_f64.powi(self.decimals.into())).round() as i64
    }

    fn float(&self, value: &Value) -> Result<f64> {
        let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
        number.ok_or_else(|| self.error(format!("`{}` is not a number", shown(value))))
    }

    fn pair(&mut self, value: &Value) -> Result<(i64, i64)> {
        match value.as_array().map(Vec::as_slice) {
            Some([min, max]) => {
                let (min, max) = (self.constant(min)?, self.constant(max)?);
                if min <= max { Ok((min, max)) } else { Err(self.error(format!("`{}` falls", shown(value)))) }
            }
            _ => Err(self.error(format!("`{}` is not a pair of bounds", shown(value)))),
        }
    }

    fn chance(&mut self, value: &Value) -> Result<Draw> {
        let share = self.float(value)?;
        if self.kind != Kind::Bool || !(0.0..=1.0).contains(&share) {
            return Err(self.error("`chance` is a share of a column of yes and no"));
        }
        let weighted = Weighted::new(vec![(1, share), (0, 1.0 - share)]);
        Ok(weighted.map_or(Draw::Constant(0), Draw::Weights))
    }

    /// `{ ordinary = 3, skilled = 1 }`, or `[[2014, 3], [2015, 1]]` for numbers.
    fn weights(&mut self, value: &Value) -> Result<Draw> {
        let mut items = Vec::new();
        match value {
            Value::Table(table) => {
                for (code, weight) in table {
                    items.push((self.constant(&Value::String(code.clone()))?, self.float(weight)?));
                }
            }
            Value::Array(pairs) => {
                for pair in pairs {
                    match pair.as_array().map(Vec::as_slice) {
                        Some([one, weight]) => items.push((self.constant(one)?, self.float(weight)?)),
                        _ => items.push((self.constant(pair)?, 1.0)),
                    }
                }
            }
            _ => {}
        }
        let weighted = Weighted::new(items);
        weighted.map(Draw::Weights).ok_or_else(|| self.error(format!("`{}` are not weights", shown(value))))
    }

    fn shaped_like(&mut self, key: &str, value: &Value) -> Result<Draw> {
        let part = |this: &Self, name: &str| {
            let part = value.get(name).ok_or_else(|| this.error(format!("`{key}` needs `{name}`")))?;
            this.float(part)
        };
        let scale = 10_f64.powi(self.decimals.into());
        if key == "normal" {
            let (mean, deviation) = (part(self, "mean")? * scale, part(self, "deviation")? * scale);
            return Ok(Draw::Normal { mean, deviation });
        }
        let median = part(self, "median")? * scale;
        if median <= 0.0 {
            return Err(self.error("a median of this shape is above zero"));
        }
        Ok(Draw::LogNormal { ln_median: median.ln(), sigma: part(self, "sigma")? })
    }

    fn as_of(&self) -> i64 {
        self.shape.as_of.days().into()
    }

    /// `[[0, 5, 6.1], [6, 15, 12]]`: completed years from, to, weight.
    fn ages(&mut self, value: &Value) -> Result<Draw> {
        let mut bands = Vec::new();
        for band in value.as_array().into_iter().flatten() {
            match band.as_array().map(Vec::as_slice) {
                Some([from, to, weight]) => {
                    let (from, to) = (self.float(from)? as i64, self.float(to)? as i64);
                    bands.push(((from, to.max(from)), self.float(weight)?));
                }
                _ => return Err(self.error(format!("`{}` is not a band: from, to, weight", shown(band)))),
            }
        }
        let bands = Weighted::new(bands).ok_or_else(|| self.error("`ages` needs bands with weights"))?;
        Ok(Draw::Ages { bands, as_of: self.as_of() })
    }

    fn copy(&mut self, value: &Value) -> Result<Draw> {
        let usage = if self.kind == Kind::Text { Usage::Text } else { Usage::Number };
        self.free |= self.kind == Kind::Text;
        Ok(Draw::Copy(self.refer(value, usage)?))
    }

    fn sum(&mut self, value: &Value) -> Result<Draw> {
        let mut parts = Vec::new();
        for part in value.as_array().into_iter().flatten() {
            let text = part.as_str().unwrap_or_default();
            let (name, add) = text.strip_prefix('-').map_or((text, true), |name| (name, false));
            parts.push((self.refer(&Value::String(name.trim().to_owned()), Usage::Number)?, add));
        }
        Ok(Draw::Sum(parts))
    }

    /// Of another value: a share of it, something more, so many years later. The rest of the table is what is drawn.
    fn relative(&mut self, key: &str, value: &Value, table: &mut Table) -> Result<Draw> {
        let of = self.number_of(value)?;
        if key == "share" {
            let bounds = table.remove("uniform");
            let bounds = bounds.as_ref().and_then(Value::as_array).map(Vec::as_slice);
            let Some([min, max]) = bounds else {
                return Err(self.error("`share` needs `uniform = [from, to]`"));
            };
            return Ok(Draw::Share { of, min: self.float(min)?, max: self.float(max)? });
        }
        let more = Box::new(self.plain(table)?);
        Ok(if key == "plus" { Draw::Plus { of, more } } else { Draw::Years { of, years: more } })
    }

    /// `by = "relation", when = { head = …, "son daughter" = … }, otherwise = …`, or for numbers
    /// `by = "age", below = [[7, …], [16, …]], otherwise = …`.
    fn choose(&mut self, value: &Value, table: &mut Table) -> Result<Draw> {
        let (mut cases, mut draws) = (Vec::new(), Vec::new());
        let usage = match (table.remove("when"), table.remove("below")) {
            (Some(Value::Table(when)), None) => {
                for (names, draw) in &when {
                    let draw = self.draw(draw)?;
                    for name in names.split_whitespace() {
                        cases.push(name.to_owned());
                        draws.push(draw.clone());
                    }
                }
                Usage::Cases(cases)
            }
            (None, Some(Value::Array(bands))) => {
                let target = self.target(value)?;
                let scale = 10_f64.powi(target.decimals(self.shape, self.entity).into());
                let mut bounds = Vec::new();
                for band in &bands {
                    let Some([bound, draw]) = band.as_array().map(Vec::as_slice) else {
                        return Err(self.error("`below` holds pairs of a bound and a draw"));
                    };
                    bounds.push((self.float(bound)? * scale).round() as i64);
                    draws.push(self.draw(draw)?);
                }
                Usage::Bands(bounds)
            }
            _ => return Err(self.error("`by` needs either `when = { … }` or `below = [ … ]`")),
        };
        let otherwise = match table.remove("otherwise") {
            Some(draw) => self.draw(&draw)?,
            None => Draw::Constant(crate::values::UNKNOWN),
        };
        draws.push(otherwise);
        Ok(Draw::Choose { by: self.refer(value, usage)?, draws })
    }

    fn sequence(&mut self, value: &Value) -> Result<Draw> {
        let mut values = Vec::new();
        for one in value.as_array().into_iter().flatten() {
            values.push(match one {
                Value::Array(any) => any.iter().map(|one| self.constant(one)).collect::<Result<Vec<_>>>()?,
                one => vec![self.constant(one)?],
            });
        }
        if values.is_empty() || values.iter().any(Vec::is_empty) {
            return Err(self.error("`sequence` needs values"));
        }
        self.references.push(Reference { target: Target::Position, usage: Usage::Number });
        Ok(Draw::Sequence { position: self.references.len() - 1, values })
    }

    fn ends_with(&mut self, value: &Value, table: &mut Table) -> Result<Draw> {
        let of = table.remove("of").ok_or_else(|| self.error("`ends_with` needs `of`"))?;
        let end = value.as_str().unwrap_or_default().to_owned();
        Ok(Draw::EndsWith { of: self.refer(&of, Usage::Text)?, end })
    }

    /// `{village.name}{#4}{family}`: a reference, digits, a word of a list.
    fn template(&mut self, value: &Value) -> Result<Draw> {
        self.free = true;
        let mut rest = value.as_str().ok_or_else(|| self.error("`text` is a text"))?;
        let mut pieces = Vec::new();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| self.error("`{` lacks its `}`"))?;
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            pieces.push(match (name.strip_prefix('#'), self.lists.get(name)) {
                (Some(count), _) => Piece::Digits(
                    count.parse().map_err(|_| self.error(format!("`#{count}` is no count of digits")))?,
                ),
                (None, Some(list)) => Piece::One(list.clone()),
                (None, None) => Piece::Reference(self.refer(&Value::String(name.to_owned()), Usage::Text)?),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Draw::Template(pieces))
    }

    fn citizen_number(&mut self, value: &Value) -> Result<Draw> {
        self.free = true;
        let part = |this: &Self, name: &str| {
            value.get(name).cloned().ok_or_else(|| this.error(format!("`citizen_number` needs `{name}`")))
        };
        let male = part(self, "male")?.as_str().unwrap_or_default().to_owned();
        let female = part(self, "female")?.as_str().unwrap_or_default().to_owned();
        let (division, birth, sex) = (part(self, "division")?, part(self, "birth")?, part(self, "sex")?);
        Ok(Draw::CitizenNumber {
            division: self.refer(&division, Usage::Text)?,
            birth: self.refer(&birth, Usage::Number)?,
            sex: self.refer(&sex, Usage::Cases(vec![female, male]))?,
        })
    }

    fn target(&self, value: &Value) -> Result<Target> {
        let text =
            value.as_str().ok_or_else(|| self.error(format!("`{}` is not a reference", shown(value))))?;
        reference::parse(self.shape, self.entity, &self.place, text)
    }

    fn number_of(&mut self, value: &Value) -> Result<usize> {
        self.refer(value, Usage::Number)
    }

    fn refer(&mut self, value: &Value, usage: Usage) -> Result<usize> {
        let target = self.target(value)?;
        self.references.push(Reference { target, usage });
        Ok(self.references.len() - 1)
    }
}

/// A value as somebody wrote it, roughly.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(date) => date.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => format!("{{ {} }}", table.keys().cloned().collect::<Vec<_>>().join(", ")),
    }
}
