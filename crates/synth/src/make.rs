//! Makes the rows and columns of a scope, node by node.

use std::collections::HashMap;

use crate::draw::Citizens;
use crate::plan::{ColumnPlan, Drawing, Finder, Maker, Node};
use crate::profile::Profile;
use crate::random::Stream;
use crate::spread::spread;
use crate::values::{Texts, UNKNOWN, Values};
use crate::world::{NO_ROW, Table, World};

/// Makes everything of a scope.
pub fn make(world: &mut World<'_, '_>, profile: &Profile, nodes: &[Node]) {
    let mut citizens = Citizens::default();
    for node in nodes {
        match node {
            Node::Rows(entity) if world.tables[*entity].is_none() => rows(world, *entity, &mut citizens),
            Node::Reference(entity, index) => find(world, *entity, *index),
            Node::Column(entity, column) => {
                let table = world.tables[*entity].as_ref();
                if table.is_some_and(|table| table.columns[*column].is_none()) {
                    make_column(world, profile, *entity, *column, &mut citizens);
                }
            }
            Node::Rows(_) => {}
        }
    }
}

fn stream(world: &World<'_, '_>, entity: usize, what: &str) -> Stream {
    Stream::new(world.seed, &[&world.name, &world.plan.shape.entities[entity].name, what])
}

fn rows(world: &mut World<'_, '_>, entity: usize, citizens: &mut Citizens) {
    let plan = world.plan;
    let shape = &plan.shape.entities[entity];
    if shape.division.is_some() {
        let table = division_rows(world, entity);
        world.tables[entity] = Some(table);
        return;
    }
    if let Some(size) = &plan.size {
        if size.unit == Some(entity) {
            return units(world, entity, citizens);
        }
        if size.entity == entity {
            let (groups, counts) = group_counts(world);
            let parents = repeat(groups, &counts);
            let parents = if shape.tree.is_some() { parents } else { Vec::new() };
            let rows = counts.iter().sum::<i64>() as usize;
            world.tables[entity] = Some(Table::new(plan, entity, rows, parents));
            return;
        }
    }
    let Some(drawing) = &plan.entities[entity].count else { return };
    let table = match &shape.tree {
        Some(edge) => {
            let above = world.parent_rows(edge.parent);
            let counts = counts(world, entity, edge.parent, above.clone(), drawing);
            let parents = repeat(above.map(|row| row as i32).collect(), &counts);
            Table::new(plan, entity, parents.len(), parents)
        }
        None => {
            let others = crate::world::Others::none();
            let count = drawing.draw.number(0, &others, &mut stream(world, entity, "rows"));
            Table::new(plan, entity, count.max(0) as usize, Vec::new())
        }
    };
    world.tables[entity] = Some(table);
}

/// Parents' rows, each as often as it has children.
fn repeat(parents: Vec<i32>, counts: &[i64]) -> Vec<i32> {
    let mut rows = Vec::with_capacity(counts.iter().sum::<i64>().max(0) as usize);
    for (parent, count) in parents.into_iter().zip(counts) {
        rows.extend(std::iter::repeat_n(parent, (*count).max(0) as usize));
    }
    rows
}

/// Children of each parent. One whose number they refer to by is not recorded has none.
fn counts(
    world: &World<'_, '_>,
    entity: usize,
    parent: usize,
    above: std::ops::Range<usize>,
    drawing: &Drawing,
) -> Vec<i64> {
    let mut stream = stream(world, entity, "rows");
    let others = world.gather(parent, above.clone(), drawing);
    let on = world.plan.shape.entities[entity].tree.as_ref().map_or(0, |edge| edge.on);
    let table = world.table(parent);
    let known = |row: usize| {
        table.is_none_or(|table| {
            let missing = table.missing[on].as_ref().is_some_and(|missing| missing[row]);
            !missing && table.columns[on].as_ref().is_none_or(|values| !values.is_unknown(row))
        })
    };
    let start = above.start;
    above
        .map(|row| {
            let count = drawing.draw.number(row - start, &others, &mut stream);
            if known(row) { count.max(0) } else { 0 }
        })
        .collect()
}

fn division_rows(world: &World<'_, '_>, entity: usize) -> Table {
    let all = &world.divisions.0[entity];
    let parents_of = |rows: &[crate::divisions::Row], shift: i32| -> Vec<i32> {
        rows.iter().filter_map(|row| row.parent).map(|parent| parent as i32 - shift).collect()
    };
    let range = world.division_range(entity);
    let shape = &world.plan.shape.entities[entity];
    let shift = match &shape.tree {
        Some(edge) if !world.plan.shape.entities[edge.parent].whole => {
            world.division_range(edge.parent).start as i32
        }
        _ => 0,
    };
    let parents = parents_of(&all[range.clone()], shift);
    Table::new(world.plan, entity, range.len(), parents)
}

/// The groups of the scope and how many of what is counted each gets.
fn group_counts(world: &World<'_, '_>) -> (Vec<i32>, Vec<i64>) {
    let Some(size) = &world.plan.size else { return (Vec::new(), Vec::new()) };
    let Some(group) = size.group else { return (vec![0], vec![world.wanted.cast_signed()]) };
    let rows = world.parent_rows(group);
    let weights: Vec<f64> = match &size.spread {
        Some(drawing) => {
            let mut stream = stream(world, group, "spread");
            let others = world.gather(group, rows.clone(), drawing);
            (0..rows.len()).map(|row| drawing.draw.number(row, &others, &mut stream).max(0) as f64).collect()
        }
        None => vec![1.0; rows.len()],
    };
    let counts = spread(world.wanted, &weights, size.at_least);
    (rows.map(|row| row as i32).collect(), counts.into_iter().map(u64::cast_signed).collect())
}

/// Makes units group by group until their children are as many as each group gets: first as many units as could
/// be needed, with what their number of children depends on, then only those that were needed.
fn units(world: &mut World<'_, '_>, unit: usize, citizens: &mut Citizens) {
    let plan = world.plan;
    let Some(size) = &plan.size else { return };
    let (groups, wanted) = group_counts(world);
    let rooted = plan.shape.entities[unit].tree.is_some();
    let candidates = repeat(groups, &wanted);
    let rows = candidates.len();
    world.tables[unit] =
        Some(Table::new(plan, unit, rows, if rooted { candidates.clone() } else { Vec::new() }));
    for column in &size.before {
        if let ColumnPlan { maker: Maker::Draw(drawing), .. } = &plan.entities[unit].columns[*column] {
            let values = drawn(world, unit, *column, drawing, citizens);
            if let Some(table) = &mut world.tables[unit] {
                table.columns[*column] = Some(values);
            }
        }
    }
    let sizes = match &plan.entities[size.entity].count {
        Some(drawing) => counts(world, size.entity, unit, 0..rows, drawing),
        None => vec![1; rows],
    };
    let (mut kept, mut kept_sizes, mut next) = (Vec::new(), Vec::new(), 0);
    for wanted in &wanted {
        let end = next + *wanted as usize;
        let mut left = *wanted;
        while left > 0 && next < end {
            let count = sizes[next].clamp(1, left);
            kept.push(next as u32);
            kept_sizes.push(count);
            left -= count;
            next += 1;
        }
        next = end;
    }
    let parents =
        if rooted { kept.iter().map(|row| candidates[*row as usize]).collect() } else { Vec::new() };
    let mut table = Table::new(plan, unit, kept.len(), parents);
    if let Some(made) = world.tables[unit].take() {
        table.columns = made.columns.into_iter().map(|values| Some(values?.keep(&kept))).collect();
    }
    for column in &size.before {
        table.missing[*column] = missing(world, unit, *column, kept.len());
    }
    world.tables[unit] = Some(table);
    let members = repeat((0..kept_sizes.len() as i32).collect(), &kept_sizes);
    world.tables[size.entity] = Some(Table::new(plan, size.entity, members.len(), members));
}

fn make_column(
    world: &mut World<'_, '_>,
    profile: &Profile,
    entity: usize,
    column: usize,
    citizens: &mut Citizens,
) {
    let plan = world.plan;
    let rows = world.rows(entity);
    let values = match &plan.entities[entity].columns[column].maker {
        Maker::Given => given(world, profile, entity, column),
        Maker::Key => keys(world, entity),
        Maker::Draw(drawing) => drawn(world, entity, column, drawing, citizens),
        Maker::Unknown => {
            let mut texts = Texts::with_capacity(rows);
            (0..rows).for_each(|_| texts.push(""));
            Values::Text(texts)
        }
    };
    let missing = missing(world, entity, column, rows);
    if let Some(table) = &mut world.tables[entity] {
        table.columns[column] = Some(values);
        table.missing[column] = missing;
    }
}

fn missing(world: &World<'_, '_>, entity: usize, column: usize, rows: usize) -> Option<Vec<bool>> {
    let share = world.plan.entities[entity].columns[column].missing;
    let name = format!("{} missing", world.plan.shape.entities[entity].columns[column].name);
    let mut stream = stream(world, entity, &name);
    (share > 0.0).then(|| (0..rows).map(|_| stream.chance(share)).collect())
}

fn drawn(
    world: &mut World<'_, '_>,
    entity: usize,
    column: usize,
    drawing: &Drawing,
    citizens: &mut Citizens,
) -> Values {
    if drawing.free {
        return texts(world, entity, column, drawing, citizens);
    }
    if !drawing.follows_first(column) {
        return numbers(world, entity, column, drawing, |_| true);
    }
    // First siblings first: what the others have follows from them.
    let firsts = world.first_siblings(entity);
    let first = numbers(world, entity, column, drawing, |row| firsts[row] as usize == row);
    if let Some(table) = &mut world.tables[entity] {
        table.columns[column] = Some(first.clone());
    }
    let mut rest = numbers(world, entity, column, drawing, |row| firsts[row] as usize != row);
    if let (Values::Number(all) | Values::Choice(all, _), Values::Number(first) | Values::Choice(first, _)) =
        (&mut rest, &first)
    {
        for row in (0..all.len()).filter(|row| firsts[*row] as usize == *row) {
            all[row] = first[row];
        }
    }
    rest
}

fn texts(
    world: &World<'_, '_>,
    entity: usize,
    column: usize,
    drawing: &Drawing,
    citizens: &mut Citizens,
) -> Values {
    let rows = world.rows(entity);
    let mut stream = stream(world, entity, &world.plan.shape.entities[entity].columns[column].name);
    let others = world.gather(entity, 0..rows, drawing);
    let mut texts = Texts::with_capacity(rows);
    for row in 0..rows {
        texts.push_with(|out| {
            drawing.draw.text(row, &drawing.choices, &others, &mut stream, citizens, out);
        });
    }
    Values::Text(texts)
}

/// Numbers of the rows that are wanted, within the range of the field; the others are unknown.
fn numbers(
    world: &World<'_, '_>,
    entity: usize,
    column: usize,
    drawing: &Drawing,
    wanted: impl Fn(usize) -> bool,
) -> Values {
    let rows = world.rows(entity);
    let shape = &world.plan.shape.entities[entity].columns[column];
    let mut stream = stream(world, entity, &shape.name);
    let others = world.gather(entity, 0..rows, drawing);
    let bounds = shape.range.filter(|_| shape.field.is_some());
    let narrow = |bound: i128| bound.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX)) as i64;
    let (min, max) = bounds.map_or((i64::MIN, i64::MAX), |range| (narrow(range.min), narrow(range.max)));
    let one = |row: usize, stream: &mut Stream| {
        if !wanted(row) {
            return UNKNOWN;
        }
        match drawing.draw.number(row, &others, stream) {
            UNKNOWN => UNKNOWN,
            value => value.clamp(min, max),
        }
    };
    let numbers: Vec<i64> = (0..rows).map(|row| one(row, &mut stream)).collect();
    if drawing.choices.is_empty() {
        Values::Number(numbers)
    } else {
        Values::Choice(numbers, drawing.choices.clone())
    }
}

/// The parent's key and a number of fixed width, so that keys rise with the rows.
fn keys(world: &World<'_, '_>, entity: usize) -> Values {
    let plan = &world.plan.entities[entity];
    let shape = &world.plan.shape.entities[entity];
    let Some(table) = world.table(entity) else { return Values::Number(Vec::new()) };
    let parent = shape.tree.as_ref().and_then(|edge| {
        let keys = world.table(edge.parent)?.columns[world.plan.shape.entities[edge.parent].key].as_ref()?;
        Some((keys, edge.key_prefix))
    });
    let mut keys = Texts::with_capacity(table.rows);
    let (mut ordinal, mut last) = (0_usize, NO_ROW);
    let most = longest_run(&table.parents).max(1);
    let width = plan.key_digits.max(most.to_string().len());
    for row in 0..table.rows {
        let above = table.parents.get(row).copied().unwrap_or(NO_ROW);
        ordinal = if above == last && above != NO_ROW || parent.is_none() { ordinal + 1 } else { 1 };
        last = above;
        keys.push_with(|out| {
            use std::fmt::Write as _;
            let most = if parent.is_none() { table.rows.to_string().len() } else { 0 };
            let wide = most.max(width);
            if let (Some((keys, prefix)), Ok(above)) = (parent, usize::try_from(above)) {
                match prefix {
                    Some(length) => out.push_str(keys.text(above).get(..length).unwrap_or(keys.text(above))),
                    None => {
                        out.push_str(&plan.key_prefix);
                        out.push_str(keys.text(above));
                    }
                }
            } else {
                out.push_str(&plan.key_prefix);
            }
            let _ = write!(out, "{ordinal:0wide$}");
        });
    }
    Values::Text(keys)
}

fn longest_run(parents: &[i32]) -> usize {
    parents.chunk_by(|a, b| a == b).map(<[i32]>::len).max().unwrap_or(0)
}

/// What is told of divisions: codes, names, parents' codes, facts.
fn given(world: &World<'_, '_>, profile: &Profile, entity: usize, column: usize) -> Values {
    let shape = &world.plan.shape.entities[entity];
    let declared = &shape.columns[column];
    let rows = &world.divisions.0[entity][world.division_range(entity)];
    let fact = profile.fact(&shape.name, &declared.name);
    let via = shape.tree.as_ref().filter(|edge| edge.via == column);
    let text = |row: &crate::divisions::Row| -> String {
        match (via, fact) {
            _ if column == shape.key => row.code.clone(),
            (Some(edge), _) => {
                let parent = row.parent.map(|parent| &world.divisions.0[edge.parent][parent as usize]);
                parent.map(|parent| parent.code.clone()).unwrap_or_default()
            }
            (None, Some(fact)) => fact.get(&row.original).cloned().unwrap_or_default(),
            (None, None) => row.name.clone(),
        }
    };
    let texts: Vec<String> = rows.iter().map(text).collect();
    crate::facts::parse(world.plan.shape.program, declared, &texts)
}

/// Finds the records that an edge beside the tree refers to.
fn find(world: &mut World<'_, '_>, entity: usize, index: usize) {
    let plan = world.plan;
    let edge = &plan.shape.entities[entity].refs[index];
    let rows = world.rows(entity);
    let mut stream = stream(world, entity, &edge.name);
    let mut found = match &plan.entities[entity].finders[index] {
        Finder::None => vec![NO_ROW; rows],
        Finder::Above(hops) => world.along(entity, 0..rows, hops),
        Finder::Division => {
            let count = world.divisions.0[edge.parent].len() as u64;
            (0..rows).map(|_| if count == 0 { NO_ROW } else { stream.below(count) as i32 }).collect()
        }
        Finder::Any(same) => {
            let wanted = same.as_ref().map(|(own, _)| world.along(entity, 0..rows, own));
            let target = world.rows_in_reach(edge.parent);
            let others = same.as_ref().map(|(_, hops)| world.along(edge.parent, target.clone(), hops));
            let mut beside: HashMap<i32, Vec<i32>> = HashMap::new();
            for (row, above) in target.clone().zip(others.iter().flatten()) {
                beside.entry(*above).or_default().push(row as i32);
            }
            let one = |row: usize, stream: &mut Stream| {
                let near = wanted.as_ref().and_then(|wanted| beside.get(&wanted[row]));
                match near {
                    Some(near) => near[stream.below(near.len() as u64) as usize],
                    None if target.is_empty() => NO_ROW,
                    None => (target.start as u64 + stream.below(target.len() as u64)) as i32,
                }
            };
            (0..rows).map(|row| one(row, &mut stream)).collect()
        }
        Finder::Value => by_value(world, entity, edge),
    };
    // A reference that is not recorded leads nowhere.
    if let Some(hidden) = missing(world, entity, edge.via, rows) {
        found.iter_mut().zip(hidden).filter(|(_, hidden)| *hidden).for_each(|(row, _)| *row = NO_ROW);
    }
    if let Some(table) = &mut world.tables[entity] {
        table.refs[index] = found;
    }
}

fn by_value(world: &World<'_, '_>, entity: usize, edge: &crate::shape::EdgeShape) -> Vec<i32> {
    let values = |entity: usize, column: usize| world.table(entity)?.columns[column].as_ref();
    let (Some(own), Some(other)) = (values(entity, edge.via), values(edge.parent, edge.on)) else {
        return vec![NO_ROW; world.rows(entity)];
    };
    let mut rows: HashMap<&str, i32> = HashMap::new();
    for row in world.rows_in_reach(edge.parent) {
        rows.entry(other.text(row)).or_insert(row as i32);
    }
    let find = |row: usize| match own.text(row) {
        "" => NO_ROW,
        text => rows.get(text).copied().unwrap_or(NO_ROW),
    };
    (0..world.rows(entity)).map(find).collect()
}
