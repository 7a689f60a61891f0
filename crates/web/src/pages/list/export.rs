//! A list as a file: every row, exact numbers, what it is and where it comes from.

use app::reading::{SHEET_ROWS_MAX, SheetCell, workbook};
use model::Text;
use pack::program::{NumberKind, Type, Value};
use serde_json::{Map, Value as Json, json};

use super::columns::{Column, Content};
use super::{Found, sentence};
use crate::answer::{Answer, Fault, body, file};
use crate::format;
use crate::shell::Desk;
use axum::http::StatusCode;

/// What a list is and where it comes from, in a few lines.
fn notes(desk: &Desk, found: &Found) -> Result<Vec<String>, Fault> {
    let manifest = desk.reading.manifest();
    let info = &desk.reading.program().info;
    Ok(vec![
        sentence::heading(desk, &found.query)?,
        format!(
            "{} {} · {} {} · {} {}",
            desk.w.as_of,
            manifest.as_of,
            info.title.get(desk.lang),
            info.version,
            desk.w.snapshot,
            manifest.snapshot.digest.get(..12).unwrap_or_default()
        ),
        format!(
            "{} · {} {}",
            crate::phrase::all_of(
                found.listed.rows.len() as u64,
                desk.reading.entity_label(found.list.entity, desk.lang),
                desk.lang
            ),
            desk.w.unknown,
            found.listed.unknown
        ),
    ])
}

fn heads(desk: &Desk, found: &Found) -> Vec<String> {
    let heads = found.columns.iter().map(|column| {
        let head = column.head(desk);
        let unit = column.value_column(desk).map(|id| desk.reading.unit(id, desk.lang)).unwrap_or_default();
        if unit.is_empty() { head } else { format!("{head} ({unit})") }
    });
    heads.collect()
}

fn name(desk: &Desk, found: &Found, ending: &str) -> Result<String, Fault> {
    let entity = &desk.reading.program().entity(found.list.entity).name;
    let place = desk.reading.place_code(found.list.place)?;
    Ok(format!("{entity}-{place}-{}.{ending}", desk.reading.as_of()))
}

/// A cell as a file holds it: numbers plain, everything else as people read it.
fn plain(desk: &Desk, column: &Column, content: &Content) -> String {
    match (content, number_type(desk, column)) {
        (Content::Value(Some(Value::Number(number))), Some((_, decimals))) => {
            format::decimal(*number, decimals)
        }
        _ => column.text(desk, content),
    }
}

fn number_type(desk: &Desk, column: &Column) -> Option<(NumberKind, u8)> {
    match &desk.reading.program().column(column.value_column(desk)?).ty {
        Type::Number(ty) => Some((ty.kind, ty.decimals)),
        _ => None,
    }
}

pub fn csv(desk: &Desk, found: &Found) -> Answer {
    let fault = |error: csv::Error| Fault::Internal(error.to_string());
    // Excel reads UTF-8 only where a mark says so.
    let mut writer = csv::Writer::from_writer(b"\xEF\xBB\xBF".to_vec());
    writer.write_record(heads(desk, found)).map_err(fault)?;
    for row in &found.listed.rows {
        let mut cells = Vec::with_capacity(found.columns.len());
        for column in &found.columns {
            let content = column.content(desk, found.list.entity, *row)?;
            cells.push(harmless(plain(desk, column, &content), &content));
        }
        writer.write_record(cells).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(|error| Fault::Internal(error.to_string()))?;
    file("text/csv; charset=utf-8", &name(desk, found, "csv")?, bytes)
}

/// A text that a spreadsheet would take for a formula begins with an apostrophe.
fn harmless(text: String, content: &Content) -> String {
    let number = matches!(content, Content::Value(Some(Value::Number(_))));
    if !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

pub fn json(desk: &Desk, found: &Found) -> Answer {
    let program = desk.reading.program();
    let names: Vec<String> = found.columns.iter().map(|column| json_name(desk, column)).collect();
    let mut rows = Vec::new();
    for row in &found.listed.rows {
        let mut object = Map::new();
        for (column, name) in found.columns.iter().zip(&names) {
            let content = column.content(desk, found.list.entity, *row)?;
            object.insert(name.clone(), json_value(desk, column, &content));
        }
        rows.push(Json::Object(object));
    }
    let heads = heads(desk, found);
    let columns: Map<String, Json> = names.iter().cloned().zip(heads.into_iter().map(Json::from)).collect();
    let manifest = desk.reading.manifest();
    let content = json!({
        "what": sentence::heading(desk, &found.query)?,
        "entity": program.entity(found.list.entity).name,
        "division": desk.reading.place_code(found.list.place)?,
        "as_of": manifest.as_of.to_string(),
        "pack": { "id": program.info.id, "version": program.info.version, "digest": program.digest },
        "snapshot": manifest.snapshot.digest,
        "total": rows.len(),
        "unknown": found.listed.unknown,
        "columns": columns,
        "rows": rows,
    });
    let text = serde_json::to_string(&content).map_err(|error| Fault::Internal(error.to_string()))?;
    Ok(body("application/json", StatusCode::OK, text + "\n"))
}

fn json_name(desk: &Desk, column: &Column) -> String {
    let program = desk.reading.program();
    match column {
        Column::Key(entity) => program.column(program.entity(*entity).key).name.clone(),
        Column::Name(_, id) => program.column(*id).name.clone(),
        Column::Place(level) => format!("{}_name", program.entity(*level).name),
        Column::Verdict(rule, _) => program.rules[rule.index()].id.clone(),
        Column::Data(entity, id) => super::query::column_name(desk, *entity, *id),
    }
}

/// Numbers as exact decimals in texts, truth as truth, unknown as null.
fn json_value(desk: &Desk, column: &Column, content: &Content) -> Json {
    match content {
        Content::Text(text) => json!(text),
        Content::State(state) => json!(crate::phrase::state_word(*state)),
        Content::Value(None) => Json::Null,
        Content::Value(Some(Value::Bool(truth))) => json!(truth),
        Content::Value(Some(Value::Text(text))) => match column.value_column(desk) {
            // A code as it is, a text that may be a person's masked.
            Some(id) if matches!(desk.reading.program().column(id).ty, Type::Code(_)) => json!(text),
            _ => json!(column.text(desk, content)),
        },
        Content::Value(Some(_)) => json!(plain(desk, column, content)),
    }
}

pub fn xlsx(desk: &Desk, found: &Found) -> Answer {
    if found.listed.rows.len() > SHEET_ROWS_MAX {
        return Err(Fault::Bad(Text::new(
            format!("工作表最多 {SHEET_ROWS_MAX} 行，请导出 csv"),
            format!("a sheet holds {SHEET_ROWS_MAX} rows at most; export csv"),
        )));
    }
    let mut rows = Vec::with_capacity(found.listed.rows.len());
    for row in &found.listed.rows {
        let mut cells = Vec::with_capacity(found.columns.len());
        for column in &found.columns {
            let content = column.content(desk, found.list.entity, *row)?;
            cells.push(sheet_cell(desk, column, &content));
        }
        rows.push(cells);
    }
    let bytes = workbook(&notes(desk, found)?, &heads(desk, found), rows)
        .map_err(|error| Fault::Internal(error.to_string()))?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    file(kind, &name(desk, found, "xlsx")?, bytes)
}

fn sheet_cell(desk: &Desk, column: &Column, content: &Content) -> SheetCell {
    match (content, number_type(desk, column)) {
        (Content::Value(Some(Value::Number(number))), Some((_, decimals))) => {
            SheetCell::Number(*number as f64 / 10_f64.powi(i32::from(decimals)), decimals)
        }
        (Content::Value(Some(Value::Date(date))), _) => SheetCell::Date(*date),
        _ => SheetCell::Text(column.text(desk, content)),
    }
}
