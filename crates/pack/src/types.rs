//! Types, units and ranges: parsing, printing and the arithmetic of bounds.

use std::fmt::Write as _;

use crate::program::{
    CodeList, Column, ColumnId, ListId, NumberKind, NumberType, Program, Range, Type, Unit,
};

/// No intermediate result may leave this bound, so that 128-bit (38-digit) arithmetic holds everywhere.
pub const LIMIT: i128 = 10i128.pow(36);

/// Decimals of a rate where nothing is said.
pub const RATE_DECIMALS: u8 = 4;

/// Decimals of a ratio of two quantities or counts.
pub const RATIO_DECIMALS: u8 = 6;

impl Unit {
    pub fn base(name: &str) -> Self {
        Self([(name.to_owned(), 1)].into())
    }

    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub fn combine(&self, other: &Self, sign: i8) -> Self {
        let mut powers = self.0.clone();
        for (name, power) in &other.0 {
            let entry = powers.entry(name.clone()).or_insert(0);
            *entry += sign * power;
            if *entry == 0 {
                powers.remove(name);
            }
        }
        Self(powers)
    }

    fn yuan_power(&self) -> i8 {
        self.0.get("yuan").copied().unwrap_or(0)
    }
}

impl NumberType {
    pub fn count() -> Self {
        Self { kind: NumberKind::Count, unit: Unit::default(), decimals: 0 }
    }

    pub fn rate(decimals: u8) -> Self {
        Self { kind: NumberKind::Rate, unit: Unit::default(), decimals }
    }

    /// Yuan with two decimals.
    pub fn money() -> Self {
        Self { kind: NumberKind::Quantity, unit: Unit::base("yuan"), decimals: 2 }
    }

    pub fn is_money(&self) -> bool {
        self.unit == Unit::base("yuan")
    }

    /// The type of a product, and how many decimals it drops.
    pub fn product(&self, other: &Self) -> Option<(Self, u8)> {
        if self.unit.yuan_power() != 0 && self.unit.yuan_power() == other.unit.yuan_power() {
            return None;
        }
        let unit = self.unit.combine(&other.unit, 1);
        let all = self.decimals + other.decimals;
        let result = match (self.unit.is_none(), other.unit.is_none()) {
            (true, true) if self.kind == NumberKind::Count && other.kind == NumberKind::Count => {
                Self::count()
            }
            (true, true) => Self::rate(self.decimals.max(other.decimals)),
            (true, false) => other.clone(),
            (false, true) => self.clone(),
            (false, false) if unit.is_none() => Self::rate(RATIO_DECIMALS.min(all)),
            (false, false) => {
                let decimals = if unit.yuan_power() == 1 { 2 } else { self.decimals.max(other.decimals) };
                Self { kind: NumberKind::Quantity, unit, decimals: decimals.min(all) }
            }
        };
        let drop = all - result.decimals;
        Some((result, drop))
    }

    /// The type of a quotient (with `wanted` decimals if it is a pure number), and how many decimals
    /// the numerator gains.
    pub fn quotient(&self, other: &Self, wanted: Option<u8>) -> (Self, u8) {
        let unit = self.unit.combine(&other.unit, -1);
        let mut result = if unit.is_none() {
            Self::rate(wanted.unwrap_or(RATIO_DECIMALS.max(self.decimals)))
        } else if other.unit.is_none() {
            Self { decimals: wanted.unwrap_or(self.decimals), ..self.clone() }
        } else {
            let decimals = if unit.yuan_power() == 1 { 2 } else { self.decimals.max(other.decimals) };
            Self { kind: NumberKind::Quantity, unit, decimals: wanted.unwrap_or(decimals) }
        };
        let least = self.decimals.saturating_sub(other.decimals);
        result.decimals = result.decimals.max(least);
        let up = result.decimals + other.decimals - self.decimals;
        (result, up)
    }
}

impl Range {
    pub fn new(a: i128, b: i128) -> Self {
        Self { min: a.min(b), max: a.max(b) }
    }

    pub fn contains(self, value: i128) -> bool {
        self.min <= value && value <= self.max
    }

    pub fn fits_64(self) -> bool {
        self.min >= i128::from(i64::MIN) && self.max <= i128::from(i64::MAX)
    }

    pub fn within_limit(self) -> bool {
        self.min >= -LIMIT && self.max <= LIMIT
    }

    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn of(values: &[i128]) -> Self {
        Self {
            min: values.iter().copied().min().unwrap_or(0),
            max: values.iter().copied().max().unwrap_or(0),
        }
    }

    pub fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub fn negate(self) -> Self {
        Self { min: -self.max, max: -self.min }
    }

    pub fn multiply(self, other: Self) -> Self {
        Self::of(&[
            self.min.saturating_mul(other.min),
            self.min.saturating_mul(other.max),
            self.max.saturating_mul(other.min),
            self.max.saturating_mul(other.max),
        ])
    }

    pub fn scale_up(self, decimals: u8) -> Self {
        self.multiply(Self::new(10i128.pow(u32::from(decimals)), 10i128.pow(u32::from(decimals))))
    }

    /// Bounds of a rounded quotient; a divisor that may be zero counts as at least one in size.
    pub fn divide(self, divisor: Self) -> Self {
        let mut divisors = Vec::new();
        for candidate in [divisor.min, divisor.max, -1, 1] {
            if candidate != 0 && divisor.contains(candidate) {
                divisors.push(candidate);
            }
        }
        if divisors.is_empty() {
            return Self::new(0, 0);
        }
        let mut bounds = Vec::new();
        for number in [self.min, self.max] {
            for by in &divisors {
                bounds.push(number.div_euclid(*by));
                bounds.push(number.div_euclid(*by) + 1);
                bounds.push(number / by);
                bounds.push(number / by + (number % by).signum() * by.signum());
            }
        }
        let mut range = Self::of(&bounds);
        // The exact corners decide the sign: a quotient of non-negatives is not negative.
        if self.min >= 0 && divisor.min > 0 {
            range.min = range.min.max(0);
        }
        range
    }

    pub fn absolute(self) -> Self {
        if self.min >= 0 {
            self
        } else if self.max <= 0 {
            self.negate()
        } else {
            Self { min: 0, max: self.max.max(-self.min) }
        }
    }
}

/// Reads a type as a pack writes it. `Err` says what is wrong with it.
pub fn parse_type(text: &str, lists: &[CodeList]) -> Result<Type, String> {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => {
            let inner =
                rest.strip_suffix(')').ok_or_else(|| format!("`{text}` lacks its closing bracket"))?;
            (name.trim(), inner.split(',').map(str::trim).collect::<Vec<_>>())
        }
        None => (text.trim(), Vec::new()),
    };
    let decimals = |text: &str| {
        text.parse::<u8>()
            .ok()
            .filter(|decimals| *decimals <= 9)
            .ok_or_else(|| format!("`{text}` is not a number of decimals from 0 to 9"))
    };
    match (name, arguments.as_slice()) {
        ("bool", []) => Ok(Type::Bool),
        ("count", []) => Ok(Type::Number(NumberType::count())),
        ("money", []) => Ok(Type::Number(NumberType::money())),
        ("rate", []) => Ok(Type::Number(NumberType::rate(RATE_DECIMALS))),
        ("rate", [places]) => Ok(Type::Number(NumberType::rate(decimals(places)?))),
        ("date", []) => Ok(Type::Date),
        ("text", []) => Ok(Type::Text),
        ("index", []) => Ok(Type::Index),
        ("code", [list]) => lists
            .iter()
            .position(|known| known.id == *list)
            .map(|position| Type::Code(ListId(position as u32)))
            .ok_or_else(|| format!("there is no code list `{list}`")),
        ("quantity", [unit, places]) => Ok(Type::Number(NumberType {
            kind: NumberKind::Quantity,
            unit: parse_unit(unit)?,
            decimals: decimals(places)?,
        })),
        (price, []) if price.starts_with("money/") => Ok(Type::Number(NumberType {
            kind: NumberKind::Quantity,
            unit: parse_unit(&price.replacen("money", "yuan", 1))?,
            decimals: 2,
        })),
        _ => Err(format!("`{text}` is not a type")),
    }
}

fn parse_unit(text: &str) -> Result<Unit, String> {
    let mut unit = Unit::default();
    for (position, part) in text.split('/').enumerate() {
        let sign = if position == 0 { 1 } else { -1 };
        for name in part.split('*') {
            let name = name.trim();
            if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
                return Err(format!(
                    "`{text}` is not a unit: write it in small letters, without digits, like `mu` or `yuan/mu`"
                ));
            }
            unit = unit.combine(&Unit::base(name), sign);
        }
    }
    if unit.is_none() { Err(format!("`{text}` has no unit left: use `rate`")) } else { Ok(unit) }
}

/// Prints a unit as `yuan/mu`.
pub fn unit_text(unit: &Unit) -> String {
    let mut top = String::new();
    let mut bottom = String::new();
    for (name, power) in &unit.0 {
        let part = if *power > 0 { &mut top } else { &mut bottom };
        for _ in 0..power.unsigned_abs() {
            if !part.is_empty() {
                part.push('*');
            }
            let _ = write!(part, "{name}");
        }
    }
    match (top.is_empty(), bottom.is_empty()) {
        (_, true) => top,
        (true, false) => format!("1/{bottom}"),
        (false, false) => format!("{top}/{bottom}"),
    }
}

/// Prints a type for messages: `money`, `count`, `quantity(mu, 1)`, `code(labour)`.
pub fn type_text(ty: &Type, lists: &[CodeList]) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Text => "text".to_owned(),
        Type::Index => "index".to_owned(),
        Type::Code(list) => {
            format!("code({})", lists.get(list.index()).map_or("?", |list| list.id.as_str()))
        }
        Type::Number(number) => match number.kind {
            NumberKind::Count => "count".to_owned(),
            NumberKind::Rate if number.decimals == RATE_DECIMALS => "rate".to_owned(),
            NumberKind::Rate => format!("rate({})", number.decimals),
            NumberKind::Quantity if *number == NumberType::money() => "money".to_owned(),
            NumberKind::Quantity => format!("quantity({}, {})", unit_text(&number.unit), number.decimals),
        },
    }
}

impl Program {
    pub fn entity_named(&self, name: &str) -> Option<crate::program::EntityId> {
        self.entities
            .iter()
            .position(|entity| entity.name == name)
            .map(|position| crate::program::EntityId(position as u32))
    }

    pub fn entity(&self, id: crate::program::EntityId) -> &crate::program::Entity {
        &self.entities[id.index()]
    }

    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[id.index()]
    }

    /// What a field follows from, if it is derived.
    pub fn derived(&self, id: ColumnId) -> Option<&crate::program::Derived> {
        match &self.column(id).kind {
            crate::program::ColumnKind::Field(field) => field.derived.as_ref(),
            _ => None,
        }
    }

    /// Whether nobody records the field.
    pub fn is_derived(&self, id: ColumnId) -> bool {
        self.derived(id).is_some()
    }

    /// Whether the field follows from the records of one snapshot alone.
    pub fn is_computed_fact(&self, id: ColumnId) -> bool {
        self.derived(id)
            .is_some_and(|derived| !matches!(derived, crate::program::Derived::PreviousRun { .. }))
    }

    pub fn edge(&self, id: crate::program::EdgeId) -> &crate::program::Edge {
        &self.edges[id.index()]
    }

    /// The column of an entity with this name, hidden ones included.
    pub fn column_named(&self, entity: crate::program::EntityId, name: &str) -> Option<ColumnId> {
        self.columns
            .iter()
            .position(|column| column.entity == entity && column.name == name)
            .map(|position| ColumnId(position as u32))
    }

    pub fn rule_named(&self, id: &str) -> Option<&crate::program::Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    pub fn parameter_named(&self, id: &str) -> Option<&crate::program::Parameter> {
        self.parameters.iter().find(|parameter| parameter.id == id)
    }

    pub fn list(&self, id: ListId) -> &CodeList {
        &self.lists[id.index()]
    }

    /// The computed columns of an entity that results show, in order.
    pub fn results_of(&self, entity: crate::program::EntityId) -> impl Iterator<Item = ColumnId> + '_ {
        self.order.iter().copied().filter(move |id| {
            let column = self.column(*id);
            column.entity == entity && !column.is_hidden()
        })
    }
}

impl crate::program::RuleKind {
    /// What rules of this kind are called.
    pub fn name(self) -> model::Text {
        use crate::program::RuleKind as Kind;
        let (zh, en) = match self {
            Kind::Variable => ("变量", "variable"),
            Kind::Benefit => ("待遇", "benefit"),
            Kind::Standard => ("标准", "standard"),
            Kind::Measure => ("指标", "measure"),
            Kind::Check => ("核查", "check"),
            Kind::Audit => ("审计", "audit"),
            Kind::Programme => ("项目类型", "programme"),
            Kind::Duty => ("责任", "duty"),
            Kind::Flow => ("程序", "flow"),
            Kind::Asset => ("资产", "asset"),
            Kind::Scorecard => ("考核表", "scorecard"),
            Kind::Report => ("报表", "report"),
        };
        model::Text::new(zh, en)
    }
}
