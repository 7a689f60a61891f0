//! What is made in which order: counts of rows, references between them, columns.

use std::collections::HashMap;
use std::sync::Arc;

use pack::program::{Derived, Type};
use toml::Value;

use crate::compile::Compiler;
use crate::defaults;
use crate::draw::Draw;
use crate::error::{Result, SynthError};
use crate::profile::{EntityProfile, Profile};
use crate::reference::{Hop, Reference, Target, Usage};
use crate::shape::{ColumnShape, EdgeShape, EntityShape, Shape};

/// A draw with what it reads.
pub struct Drawing {
    pub draw: Draw,
    pub references: Vec<Reference>,
    pub choices: Arc<[String]>,
    /// Whether texts are not only choices.
    pub free: bool,
}

impl Drawing {
    /// Whether a column reads its own value at the first sibling.
    pub fn follows_first(&self, own: usize) -> bool {
        !self.free && self.references.iter().any(|one| one.target == Target::First { column: own })
    }

    fn copy(target: Target) -> Self {
        let references = vec![Reference { target, usage: Usage::Text }];
        Self { draw: Draw::Copy(0), references, choices: Arc::from([]), free: true }
    }
}

pub struct ColumnPlan {
    pub maker: Maker,
    /// Share of values that are not recorded. Other columns see them all the same.
    pub missing: f64,
}

/// Where the values of a column come from.
pub enum Maker {
    /// The division list, or a table of facts about divisions.
    Given,
    Key,
    Draw(Drawing),
    /// Nothing is known of it.
    Unknown,
}

/// How a record finds the one it refers to.
pub enum Finder {
    /// A record above it in the tree.
    Above(Vec<Hop>),
    /// Any record that has the same record above it, or else any record at all.
    Any(Option<(Vec<Hop>, Vec<Hop>)>),
    /// Any division of a level whose rows are made later.
    Division,
    /// The record that has this value.
    Value,
    None,
}

pub struct EntityPlan {
    /// Number of children for each row of the parent, or of rows without a parent.
    pub count: Option<Drawing>,
    pub key_prefix: String,
    pub key_digits: usize,
    pub columns: Vec<ColumnPlan>,
    pub finders: Vec<Finder>,
}

/// The entity of which a number is asked for.
pub struct SizePlan {
    pub entity: usize,
    /// Its parent, if that is made until the number is reached.
    pub unit: Option<usize>,
    /// What the number is spread over inside a region.
    pub group: Option<usize>,
    pub weight: Option<Drawing>,
    pub spread: Option<Drawing>,
    /// Columns of the unit that the number of its children depends on.
    pub before: Vec<usize>,
    /// The least that a group gets, if it gets anything.
    pub at_least: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    Rows(usize),
    Reference(usize, usize),
    Column(usize, usize),
}

pub struct Plan<'p> {
    pub shape: Shape<'p>,
    pub entities: Vec<EntityPlan>,
    pub size: Option<SizePlan>,
    /// In order of making: entities made whole, and what is made region by region.
    pub whole: Vec<Node>,
    pub regional: Vec<Node>,
    /// What the profile says of entities and fields that the pack does not have.
    pub unused: Vec<String>,
}

impl<'p> Plan<'p> {
    pub fn new(mut shape: Shape<'p>, profile: &Profile) -> Result<Self> {
        add_helpers(&mut shape, profile)?;
        let none = EntityProfile::default();
        let size = size_plan(&shape, profile)?;
        let counted: Vec<usize> =
            size.iter().flat_map(|size| size.unit.into_iter().chain([size.entity])).collect();
        let mut entities = Vec::new();
        for index in 0..shape.entities.len() {
            let own = profile.entities.get(&shape.entities[index].name).unwrap_or(&none);
            entities.push(entity_plan(&shape, profile, own, &counted, index)?);
        }
        let unused = unused(&shape, profile);
        let mut plan = Self { shape, entities, size, whole: Vec::new(), regional: Vec::new(), unused };
        plan.find_before();
        let order = Order::of(&plan)?;
        let whole = |node: &Node| plan.shape.entities[node.entity()].whole;
        (plan.whole, plan.regional) = order.into_iter().partition(whole);
        Ok(plan)
    }

    fn find_before(&mut self) {
        let Some((unit, entity)) = self.size.as_ref().and_then(|size| Some((size.unit?, size.entity))) else {
            return;
        };
        let mut found = Vec::new();
        let mut open = self.needs(Node::Rows(entity));
        while let Some(node) = open.pop() {
            if let Node::Column(owner, column) = node
                && owner == unit
                && !found.contains(&column)
            {
                found.push(column);
                open.extend(self.needs(node));
            }
        }
        // A column comes after those that it was found from.
        found.reverse();
        if let Some(size) = &mut self.size {
            size.before = found;
        }
    }

    /// What must be made before a node.
    pub fn needs(&self, node: Node) -> Vec<Node> {
        match node {
            Node::Rows(entity) => self.rows_need(entity),
            Node::Reference(entity, index) => self.reference_needs(entity, index),
            Node::Column(entity, column) => {
                let mut needs = vec![Node::Rows(entity)];
                match &self.entities[entity].columns[column].maker {
                    Maker::Key => {
                        if let Some(edge) = &self.shape.entities[entity].tree {
                            needs.push(Node::Column(edge.parent, self.shape.entities[edge.parent].key));
                        }
                    }
                    Maker::Draw(drawing) => {
                        let follows = drawing.follows_first(column);
                        let others = self.drawing_needs(entity, drawing).into_iter();
                        needs.extend(others.filter(|need| !(follows && *need == node)));
                    }
                    Maker::Given | Maker::Unknown => {}
                }
                needs
            }
        }
    }

    fn rows_need(&self, entity: usize) -> Vec<Node> {
        let mut needs = Vec::new();
        if let Some(edge) = &self.shape.entities[entity].tree {
            needs.extend([Node::Rows(edge.parent), Node::Column(edge.parent, edge.on)]);
            if let Some(drawing) = &self.entities[entity].count {
                needs.extend(self.drawing_needs(edge.parent, drawing));
            }
        }
        if let Some(size) = self.size.as_ref().filter(|size| size.unit == Some(entity)) {
            if let (Some(group), Some(spread)) = (size.group, &size.spread) {
                needs.extend(self.drawing_needs(group, spread));
            }
            for column in &size.before {
                let before = self.needs(Node::Column(entity, *column));
                needs.extend(before.into_iter().filter(|node| node.entity() != entity));
            }
        }
        needs
    }

    fn reference_needs(&self, entity: usize, index: usize) -> Vec<Node> {
        let edge = &self.shape.entities[entity].refs[index];
        let mut needs = vec![Node::Rows(entity)];
        match &self.entities[entity].finders[index] {
            Finder::Any(same) => {
                needs.extend([Node::Rows(edge.parent), Node::Column(edge.parent, edge.on)]);
                if let Some((own, other)) = same {
                    needs.extend(self.path_needs(entity, own));
                    needs.extend(self.path_needs(edge.parent, other));
                }
            }
            Finder::Value => {
                needs.extend([Node::Column(entity, edge.via), Node::Column(edge.parent, edge.on)]);
            }
            Finder::Above(hops) => needs.extend(self.path_needs(entity, hops)),
            Finder::Division | Finder::None => {}
        }
        needs
    }

    fn path_needs(&self, entity: usize, hops: &[Hop]) -> Vec<Node> {
        let mut at = entity;
        let mut needs = Vec::new();
        for hop in hops {
            let own = &self.shape.entities[at];
            let edge = match hop {
                Hop::Tree => own.tree.as_ref().expect("the path was found along the tree"),
                Hop::Ref(index) => {
                    needs.push(Node::Reference(at, *index));
                    &own.refs[*index]
                }
            };
            needs.push(Node::Rows(at));
            at = edge.parent;
        }
        needs
    }

    fn drawing_needs(&self, entity: usize, drawing: &Drawing) -> Vec<Node> {
        let mut needs = Vec::new();
        for reference in &drawing.references {
            match &reference.target {
                Target::Up { hops, entity: target, column } => {
                    needs.extend(self.path_needs(entity, hops));
                    needs.push(Node::Column(*target, *column));
                }
                Target::First { column } => needs.push(Node::Column(entity, *column)),
                Target::Position | Target::Siblings => needs.push(Node::Rows(entity)),
                Target::Count { child, among: None } => needs.push(Node::Rows(*child)),
                Target::Count { child, among: Some((column, _)) }
                | Target::Sum { child, column }
                | Target::FirstChild { child, column } => needs.push(Node::Column(*child, *column)),
            }
        }
        needs
    }

    /// As people read it: `household.wages`.
    fn name(&self, node: Node) -> String {
        let entity = &self.shape.entities[node.entity()];
        match node {
            Node::Rows(_) => format!("number of {}", entity.name),
            Node::Reference(_, index) => format!("{} → {}", entity.name, entity.refs[index].name),
            Node::Column(_, column) => format!("{}.{}", entity.name, entity.columns[column].name),
        }
    }
}

impl Node {
    pub fn entity(self) -> usize {
        match self {
            Self::Rows(entity) | Self::Reference(entity, _) | Self::Column(entity, _) => entity,
        }
    }
}

/// Every node after what it needs.
struct Order<'o, 'p> {
    plan: &'o Plan<'p>,
    done: HashMap<Node, bool>,
    nodes: Vec<Node>,
    path: Vec<Node>,
}

impl<'o, 'p> Order<'o, 'p> {
    fn of(plan: &'o Plan<'p>) -> Result<Vec<Node>> {
        let mut order = Self { plan, done: HashMap::new(), nodes: Vec::new(), path: Vec::new() };
        for (index, entity) in plan.shape.entities.iter().enumerate() {
            order.visit(Node::Rows(index))?;
            (0..entity.refs.len()).try_for_each(|edge| order.visit(Node::Reference(index, edge)))?;
            (0..entity.columns.len()).try_for_each(|column| order.visit(Node::Column(index, column)))?;
        }
        Ok(order.nodes)
    }

    fn visit(&mut self, node: Node) -> Result<()> {
        match self.done.get(&node) {
            Some(true) => return Ok(()),
            Some(false) => {
                let start = self.path.iter().position(|one| *one == node).unwrap_or(0);
                let names: Vec<String> = self.path[start..].iter().map(|one| self.plan.name(*one)).collect();
                return Err(SynthError::Circle { circle: names.join(" needs ") });
            }
            None => {}
        }
        self.done.insert(node, false);
        self.path.push(node);
        for need in self.plan.needs(node) {
            self.visit(need)?;
        }
        self.path.pop();
        self.done.insert(node, true);
        self.nodes.push(node);
        Ok(())
    }
}

/// A pack may have dropped a field since; whoever runs it is told, and the rest of the profile holds.
fn unused(shape: &Shape<'_>, profile: &Profile) -> Vec<String> {
    let mut unused = Vec::new();
    for (name, own) in &profile.entities {
        let Some(entity) = shape.entity_named(name).map(|index| &shape.entities[index]) else {
            unused.push(name.clone());
            continue;
        };
        let known = |field: &String| entity.column(field).is_some_and(|at| at < entity.fields);
        unused.extend(own.fields.keys().filter(|field| !known(field)).map(|field| format!("{name}.{field}")));
    }
    unused
}

fn add_helpers(shape: &mut Shape<'_>, profile: &Profile) -> Result<()> {
    for (name, own) in &profile.entities {
        let Some(index) = shape.entity_named(name) else { continue };
        for (helper, ty, _) in &own.helpers {
            let place = format!("{name}.{helper}");
            let ty = pack::parse_type(ty, &shape.program.lists)
                .map_err(|detail| SynthError::profile(&place, detail))?;
            if shape.entities[index].column(helper).is_some() {
                return Err(SynthError::profile(place, "the entity has a field of this name"));
            }
            shape.entities[index].columns.push(ColumnShape {
                name: helper.clone(),
                label: helper.clone(),
                ty,
                range: None,
                field: None,
            });
        }
    }
    Ok(())
}

fn entity_plan(
    shape: &Shape<'_>,
    profile: &Profile,
    own: &EntityProfile,
    counted: &[usize],
    index: usize,
) -> Result<EntityPlan> {
    let entity = &shape.entities[index];
    let finders = finders(shape, own, index);
    let mut columns = Vec::new();
    for position in 0..entity.columns.len() {
        columns.push(column_plan(shape, profile, own, &finders, index, position)?);
    }
    let whose = entity.tree.as_ref().map(|edge| edge.parent);
    let count = match (entity.division, whose) {
        (Some(_), _) => None,
        (None, Some(parent)) => {
            let default = defaults::per_parent(counted.contains(&parent));
            let value = own.per_parent.as_ref().unwrap_or(&default);
            Some(drawing(
                shape,
                profile,
                parent,
                format!("{} per parent", entity.name),
                &count_type(),
                value,
            )?)
        }
        (None, None) => {
            let value = own.rows.clone().unwrap_or_else(defaults::rows);
            Some(drawing(shape, profile, index, format!("rows of {}", entity.name), &count_type(), &value)?)
        }
    };
    let prefixed = entity.tree.as_ref().is_some_and(|edge| edge.key_prefix.is_some());
    let initial: String = entity.name.chars().take(1).flat_map(char::to_uppercase).collect();
    Ok(EntityPlan {
        count,
        key_prefix: own.key_prefix.clone().unwrap_or(if prefixed { String::new() } else { initial }),
        key_digits: own.key_digits.unwrap_or(if prefixed { 2 } else { 4 }),
        columns,
        finders,
    })
}

fn count_type() -> Type {
    Type::Number(pack::program::NumberType::count())
}

fn finders(shape: &Shape<'_>, own: &EntityProfile, index: usize) -> Vec<Finder> {
    let entity = &shape.entities[index];
    let mut taken: Vec<usize> = entity.tree.iter().map(|edge| edge.via).chain([entity.key]).collect();
    let finder = |edge: &EdgeShape| {
        if let Some(derived) = derived(&entity.columns[edge.via]) {
            return ancestor_hops(shape, index, derived).map_or(Finder::None, Finder::Above);
        }
        if taken.contains(&edge.via) || own.fields.get(&entity.columns[edge.via].name).is_some_and(draws) {
            return if entity.whole && !shape.entities[edge.parent].whole {
                Finder::None
            } else {
                Finder::Value
            };
        }
        taken.push(edge.via);
        let target = &shape.entities[edge.parent];
        if entity.whole && !target.whole {
            return if target.division.is_some() { Finder::Division } else { Finder::None };
        }
        let (above, others) = (shape.ancestors(index), shape.ancestors(edge.parent));
        if above.contains(&edge.parent) {
            let hops = above.iter().take_while(|one| **one != edge.parent).count() + 1;
            return Finder::Above(vec![Hop::Tree; hops]);
        }
        let same = above.iter().position(|one| others.contains(one)).map(|own| {
            let other = others.iter().position(|one| *one == above[own]).unwrap_or(0);
            (vec![Hop::Tree; own + 1], vec![Hop::Tree; other + 1])
        });
        Finder::Any(same)
    };
    entity.refs.iter().map(finder).collect()
}

fn derived(column: &ColumnShape) -> Option<&Derived> {
    column.field.as_ref()?.derived.as_ref()
}

/// The way to an ancestor that a field repeats the key of; other derived fields are left to those who derive them.
fn ancestor_hops(shape: &Shape<'_>, index: usize, derived: &Derived) -> Option<Vec<Hop>> {
    let Derived::Ancestor { edges } = derived else { return None };
    let mut at = index;
    let mut hops = Vec::new();
    for id in edges {
        let edge = &shape.program.edges[id.index()];
        hops.push(if edge.tree {
            Hop::Tree
        } else {
            Hop::Ref(shape.entities[at].refs.iter().position(|one| one.name == edge.name)?)
        });
        at = edge.parent.index();
    }
    Some(hops)
}

/// Whether a field's profile says what its values are, and not only how many are missing.
fn draws(value: &Value) -> bool {
    value.as_table().is_none_or(|table| table.keys().any(|key| key != "missing"))
}

fn column_plan(
    shape: &Shape<'_>,
    profile: &Profile,
    own: &EntityProfile,
    finders: &[Finder],
    index: usize,
    position: usize,
) -> Result<ColumnPlan> {
    let entity = &shape.entities[index];
    let column = &entity.columns[position];
    let place = format!("{}.{}", entity.name, column.name);
    let mut value = match own.helpers.iter().find(|(name, ..)| *name == column.name) {
        Some((_, _, value)) => Some(value.clone()),
        None => own.fields.get(&column.name).cloned(),
    };
    let said = match &mut value {
        Some(Value::Table(table)) => table.remove("missing"),
        _ => None,
    };
    let said =
        said.and_then(|share| share.as_float().or_else(|| share.as_integer().map(|share| share as f64)));
    let fixed = position == entity.key || entity.tree.as_ref().is_some_and(|edge| edge.via == position);
    let missing = match &column.field {
        Some(field) if !fixed && !field.required => {
            said.unwrap_or_else(|| if value.is_some() { 0.0 } else { defaults::missing(field) })
        }
        _ => 0.0,
    };
    if let Some(derived) = derived(column) {
        let maker = match ancestor_hops(shape, index, derived) {
            Some(hops) => Maker::Draw(repeated(shape, index, hops)),
            None => Maker::Unknown,
        };
        return Ok(ColumnPlan { maker, missing: 0.0 });
    }
    let value = value.filter(draws);
    if entity.division.is_some() && given(profile, entity, position) {
        return Ok(ColumnPlan { maker: Maker::Given, missing: 0.0 });
    }
    let copied = copied(shape, finders, index, position);
    let maker = match (value, copied) {
        _ if position == entity.key => Maker::Key,
        (Some(value), _) if !fixed => Maker::Draw(drawing(shape, profile, index, place, &column.ty, &value)?),
        (_, Some(target)) => Maker::Draw(Drawing::copy(target)),
        // What is found, but not among rows that are at hand.
        _ if entity.refs.iter().any(|edge| edge.via == position) => Maker::Unknown,
        _ => Maker::Draw(drawing(
            shape,
            profile,
            index,
            place,
            &column.ty,
            &defaults::draw(shape, entity, position),
        )?),
    };
    Ok(ColumnPlan { maker, missing })
}

/// Whether a field of a division is told by the list or by a table of facts.
fn given(profile: &Profile, entity: &EntityShape, position: usize) -> bool {
    let name = &entity.columns[position].name;
    let via = entity.tree.as_ref().is_some_and(|edge| edge.via == position);
    position == entity.key || name == "name" || via || profile.fact(&entity.name, name).is_some()
}

/// The value that an edge makes a field repeat.
fn copied(shape: &Shape<'_>, finders: &[Finder], index: usize, position: usize) -> Option<Target> {
    let entity = &shape.entities[index];
    let from =
        |hops: Vec<Hop>, target: usize, column: usize| Some(Target::Up { hops, entity: target, column });
    if let Some(edge) = &entity.tree {
        let also = edge.also.iter().find(|(own, _)| *own == position).map(|(_, other)| *other);
        if let Some(column) = (edge.via == position).then_some(edge.on).or(also) {
            return from(vec![Hop::Tree], edge.parent, column);
        }
    }
    for (number, (edge, finder)) in entity.refs.iter().zip(finders).enumerate() {
        if matches!(finder, Finder::Value | Finder::None) {
            continue;
        }
        let also = edge.also.iter().find(|(own, _)| *own == position).map(|(_, other)| *other);
        if let Some(column) = (edge.via == position).then_some(edge.on).or(also) {
            return from(vec![Hop::Ref(number)], edge.parent, column);
        }
    }
    None
}

/// The key of the record at the end of a way.
fn repeated(shape: &Shape<'_>, index: usize, hops: Vec<Hop>) -> Drawing {
    let parent = |at: usize, hop: &Hop| match hop {
        Hop::Tree => shape.entities[at].tree.as_ref().map_or(at, |edge| edge.parent),
        Hop::Ref(number) => shape.entities[at].refs[*number].parent,
    };
    let target = hops.iter().fold(index, parent);
    Drawing::copy(Target::Up { hops, entity: target, column: shape.entities[target].key })
}

fn drawing(
    shape: &Shape<'_>,
    profile: &Profile,
    entity: usize,
    place: String,
    ty: &Type,
    value: &Value,
) -> Result<Drawing> {
    let mut compiler = Compiler::new(shape, &profile.lists, entity, place, ty);
    let draw = compiler.draw(value)?;
    Ok(Drawing {
        draw,
        references: compiler.references,
        choices: compiler.choices.into(),
        free: compiler.free,
    })
}

fn size_plan(shape: &Shape<'_>, profile: &Profile) -> Result<Option<SizePlan>> {
    let table = profile.size.clone().unwrap_or_default();
    let entity = match table.get("entity").and_then(Value::as_str) {
        Some(name) => shape
            .entity_named(name)
            .ok_or_else(|| SynthError::profile("size", format!("the pack has no entity `{name}`")))?,
        // Else what there can be most of.
        None => {
            let most = shape.program.entities.iter().enumerate().filter(|(_, one)| one.division.is_none());
            let Some((index, _)) = most.min_by_key(|(index, one)| (-one.rows_max, *index)) else {
                return Ok(None);
            };
            index
        }
    };
    let parent = shape.entities[entity].tree.as_ref().map(|edge| edge.parent);
    let unit = parent.filter(|parent| shape.entities[*parent].division.is_none());
    let group = match unit {
        Some(unit) => shape.entities[unit].tree.as_ref().map(|edge| edge.parent),
        None => parent,
    };
    let rate = Type::Number(pack::program::NumberType::rate(4));
    let draw = |key: &str, entity: Option<usize>| match (table.get(key), entity) {
        (Some(value), Some(entity)) => {
            drawing(shape, profile, entity, format!("size.{key}"), &rate, value).map(Some)
        }
        _ => Ok(None),
    };
    Ok(Some(SizePlan {
        entity,
        unit,
        group,
        weight: draw("weight", shape.region)?,
        spread: draw("spread", group)?,
        before: Vec::new(),
        at_least: table.get("at_least").and_then(Value::as_integer).map_or(30, i64::cast_unsigned).max(1),
    }))
}
