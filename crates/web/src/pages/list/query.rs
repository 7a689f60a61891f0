//! What the address of a list asks for: `division=513336&rule=minimum_living:yes&is=poor:true&sort=-income&page=2`.

use app::reading::{Criterion, List, Place, Sort};
use app::verdict::{State, Verdict};
use model::Text;
use pack::program::{ColumnId, EntityId, NumberType, RuleId, Type, Value};

use super::may_be_asked;
use crate::answer::Fault;
use crate::link::Link;
use crate::phrase;
use crate::shell::Desk;

/// A list as its address says it.
#[derive(Clone, Debug)]
pub struct Query {
    pub entity: EntityId,
    pub place: Place,
    pub rules: Vec<(RuleId, Verdict, State)>,
    pub values: Vec<(ColumnId, Option<Value>)>,
    pub sort: Sort,
    /// From 1.
    pub page: usize,
}

impl Query {
    pub fn read(desk: &Desk, name: &str) -> Result<Self, Fault> {
        let ask = &desk.ask.query;
        let entity = desk.reading.program().entity_named(name).ok_or(Fault::Missing)?;
        let rules = ask.all("rule").map(|text| rule(desk, entity, text));
        let values = ask.all("is").map(|text| value(desk, entity, text));
        let sort = match ask.get("sort") {
            None => Sort::Snapshot,
            Some(text) => {
                let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
                Sort::By { column: column(desk, entity, name)?, descending }
            }
        };
        Ok(Self {
            entity,
            place: desk.place()?,
            rules: rules.collect::<Result<_, _>>()?,
            values: values.collect::<Result<_, _>>()?,
            sort,
            page: ask.get("page").and_then(|page| page.parse().ok()).unwrap_or(1),
        })
    }

    pub fn list(&self) -> List {
        let rules = self.rules.iter().map(|(_, verdict, state)| Criterion::Verdict(*verdict, *state));
        let values = self.values.iter().map(|(column, value)| Criterion::Is(*column, value.clone()));
        List {
            entity: self.entity,
            place: self.place,
            criteria: rules.chain(values).collect(),
            sort: self.sort,
        }
    }

    /// The address of the list, with an ending such as `.csv`.
    pub fn link(&self, desk: &Desk, ending: &str) -> Result<Link, Fault> {
        let program = desk.reading.program();
        let mut link = list_link(desk, &self.list(), ending)?;
        for (rule, _, state) in &self.rules {
            link = link
                .with("rule", format!("{}:{}", program.rules[rule.index()].id, phrase::state_word(*state)));
        }
        Ok(link)
    }
}

/// The address of a list; what rules say in it is added by whoever knows the rules.
pub fn list_link(desk: &Desk, list: &List, ending: &str) -> Result<Link, Fault> {
    let program = desk.reading.program();
    let mut link = Link::to(["list", &program.entity(list.entity).name]).path_ending(ending);
    link = link.with("division", desk.reading.place_code(list.place)?);
    for criterion in &list.criteria {
        if let Criterion::Is(column, value) = criterion {
            let name = column_name(desk, list.entity, *column);
            link = link.with("is", format!("{name}:{}", value_word(desk, *column, value.as_ref())));
        }
    }
    if let Sort::By { column, descending } = list.sort {
        let sign = if descending { "-" } else { "" };
        link = link.with("sort", format!("{sign}{}", column_name(desk, list.entity, column)));
    }
    Ok(link)
}

/// A column as addresses name it: its own name, or with the entity above that has it.
pub fn column_name(desk: &Desk, entity: EntityId, id: ColumnId) -> String {
    let program = desk.reading.program();
    let column = program.column(id);
    if column.entity == entity {
        column.name.clone()
    } else {
        format!("{}.{}", program.entity(column.entity).name, column.name)
    }
}

fn column(desk: &Desk, entity: EntityId, name: &str) -> Result<ColumnId, Fault> {
    let program = desk.reading.program();
    let (owner, plain) = match name.split_once('.') {
        Some((owner, plain)) => (program.entity_named(owner), plain),
        None => (Some(entity), name),
    };
    let found = owner.and_then(|owner| program.column_named(owner, plain));
    let found = found.filter(|id| !program.column(*id).is_hidden() && desk.reading.is_above(entity, *id));
    let id =
        found.ok_or_else(|| bad(format!("没有“{name}”这一项"), format!("there is no column `{name}`")))?;
    if !may_be_asked(desk, id) {
        return Err(bad(
            "姓名和号码不能作为条件".to_owned(),
            "names and numbers of persons are no conditions".to_owned(),
        ));
    }
    Ok(id)
}

fn rule(desk: &Desk, entity: EntityId, text: &str) -> Result<(RuleId, Verdict, State), Fault> {
    let (name, word) = text.split_once(':').unwrap_or((text, "yes"));
    let state = phrase::state_of_word(word);
    let found = desk.reading.verdict_named(name).filter(|(_, _, verdict)| verdict.entity == entity);
    match (found, state) {
        (Some((_, id, verdict)), Some(state)) => Ok((id, verdict, state)),
        (None, _) => Err(bad(
            format!("没有“{name}”这条规定"),
            format!("no rule about these records is called `{name}`"),
        )),
        (_, None) => Err(bad(
            format!("“{word}”不是一种情况：可用 yes、no、unknown、outside"),
            format!("`{word}` is no verdict; yes, no, unknown and outside are"),
        )),
    }
}

fn value(desk: &Desk, entity: EntityId, text: &str) -> Result<(ColumnId, Option<Value>), Fault> {
    let (name, word) = text.split_once(':').unwrap_or((text, "true"));
    let id = column(desk, entity, name)?;
    let fault = || {
        let label = desk.reading.column_label(id, desk.lang).to_owned();
        bad(format!("“{word}”不是“{label}”的值"), format!("`{word}` is no value of {label}"))
    };
    if word == "?" {
        return Ok((id, None));
    }
    let value = match &desk.reading.program().column(id).ty {
        Type::Bool => Value::Bool(word.parse().map_err(|_| fault())?),
        Type::Number(ty) => Value::Number(scaled(word, ty).ok_or_else(fault)?),
        Type::Date => Value::Date(word.parse().map_err(|_| fault())?),
        Type::Code(_) | Type::Text => Value::Text(word.to_owned()),
        Type::Index => return Err(fault()),
    };
    Ok((id, Some(value)))
}

fn value_word(desk: &Desk, column: ColumnId, value: Option<&Value>) -> String {
    match (value, &desk.reading.program().column(column).ty) {
        (None, _) => "?".to_owned(),
        (Some(Value::Number(number)), Type::Number(ty)) => crate::format::decimal(*number, ty.decimals),
        (Some(Value::Number(number)), _) => number.to_string(),
        (Some(Value::Bool(truth)), _) => truth.to_string(),
        (Some(Value::Date(date)), _) => date.to_string(),
        (Some(Value::Text(text)), _) => text.clone(),
        (Some(Value::Index(index)), _) => index.to_string(),
    }
}

/// A decimal as the integer that a column of the type holds.
fn scaled(word: &str, ty: &NumberType) -> Option<i128> {
    let (sign, digits) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = usize::from(ty.decimals);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > decimals || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse::<i128>().ok().map(|number| sign * number)
}

/// What was chosen in the sentence's form, as the address of the list.
pub fn picked(desk: &Desk, name: &str) -> Result<Option<Link>, Fault> {
    let ask = &desk.ask.query;
    if ask.get("change").is_none() {
        return Ok(None);
    }
    let query = Query::read(desk, name)?;
    let mut link = list_link(desk, &query.list(), "")?;
    for (rule, _, state) in query.rules.iter().skip(1) {
        let id = &desk.reading.program().rules[rule.index()].id;
        link = link.with("rule", format!("{id}:{}", phrase::state_word(*state)));
    }
    if let Some(rule) = ask.get("pick") {
        let state = ask.get("state").unwrap_or("yes");
        link = link.with("rule", format!("{rule}:{state}"));
    }
    Ok(Some(link))
}

fn bad(zh: String, en: String) -> Fault {
    Fault::Bad(Text::new(zh, en))
}

#[cfg(test)]
mod tests {
    use pack::program::{NumberKind, Unit};

    use super::*;

    #[test]
    fn decimals_are_read_as_their_column_holds_them() {
        let ty = NumberType { kind: NumberKind::Quantity, unit: Unit::default(), decimals: 2 };
        for (word, number) in [
            ("12.34", Some(1234)),
            ("12", Some(1200)),
            ("-0.5", Some(-50)),
            ("1.234", None),
            ("", None),
            ("1e3", None),
            ("+1", None),
        ] {
            assert_eq!(scaled(word, &ty), number, "{word}");
        }
    }
}
