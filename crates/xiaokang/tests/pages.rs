//! The office's pages on the sample county, asked as a browser asks, without a network.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use app::accounts::{self, Grant, NewAccount};
use app::reading::Reading;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use clap::Parser as _;
use model::{AsProblem as _, Lang, Moment};
use serde_json::Value as Json;
use tower::ServiceExt as _;
use web::{CATALOGUE, Office, ROUTES, Sources, router};
use xiaokang::arguments::Arguments;
use xiaokang::demo::cast::Cast;
use xiaokang::demo::story::{self, CASE, Teller};

const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];
const PASSWORD: &str = "a password of tests";
const COUNTY: &str = "513336";
const VILLAGE: &str = "513336205203";
/// Households of the story's village, and of another one.
const INSIDE: &str = "51333620520300427";
const OUTSIDE: &str = "51333610020400025";

fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

/// 2016-03-09, while the notice of the story hangs.
fn now() -> Moment {
    Moment::from_unix_ms(1_457_517_600_000)
}

fn random() -> [u8; 32] {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(0);
    [NEXT.fetch_add(1, Ordering::Relaxed); 32]
}

/// One office for all tests: the sample county with a run of record and a case whose notice hangs.
struct Sample {
    _folder: tempfile::TempDir,
    office: Arc<Office>,
    run: PathBuf,
    registry: PathBuf,
}

impl Sample {
    fn get() -> &'static Self {
        static MADE: OnceLock<Sample> = OnceLock::new();
        MADE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let registry = folder.path().join("registry");
            let data = pack_folder().join("data/xiangcheng");
            let (at, pack) = (registry.display().to_string(), pack_folder().display().to_string());
            let files = FILES.map(|file| data.join(file).display().to_string());
            let mut import = vec!["xiaokang", "import", "--registry", &at, "--pack", &pack];
            import.extend(files.iter().map(String::as_str));
            command(&import);
            command(&["xiaokang", "assess", "--registry", &at, "--pack", &pack, "--as-of", "2015-12-31"]);
            let cast = Cast::find(&registry, &pack_folder(), story::started(), Lang::Zh).unwrap();
            assert_eq!(cast.village, VILLAGE);
            let mut teller = Teller::new(folder.path(), &registry, &pack_folder(), Lang::Zh, cast);
            story::money(&mut teller).unwrap();
            story::application_to_notice(&mut teller).unwrap();
            accounts_of(&teller);
            let run = fs::read_dir(registry.join("runs")).unwrap().next().unwrap().unwrap().path();
            let cache = xiaokang::console::pack_cache();
            let office = Office::open(&registry, None, cache, Sources { now, random }, false).unwrap();
            Self { _folder: folder, office, run, registry }
        })
    }
}

fn command(arguments: &[&str]) {
    xiaokang::dispatch(Arguments::try_parse_from(arguments).unwrap()).unwrap();
}

fn accounts_of(teller: &Teller) {
    let mut office = teller.office().unwrap();
    for (role, place) in [("county", COUNTY), ("township", "513336205"), ("village", VILLAGE)] {
        let grants = vec![Grant { role: role.to_owned(), place: place.to_owned() }];
        let account = NewAccount { name: role, title: "", password: PASSWORD, grants };
        accounts::save(&mut office.registry, &account, now(), &random()).unwrap();
    }
}

/// An answer as text.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    location: String,
    cookie: String,
    body: String,
}

fn send(request: Request<Body>) -> Answer {
    send_to(&Sample::get().office, request)
}

fn send_to(office: &Arc<Office>, request: Request<Body>) -> Answer {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| web::runtime().unwrap());
    runtime.block_on(async {
        let response = router(Arc::clone(office)).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: parts.status,
            location: text(header::LOCATION).unwrap_or_default(),
            cookie: text(header::SET_COOKIE).unwrap_or_default(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    })
}

fn get(path: &str, session: Option<&str>, lang: Lang) -> Answer {
    let mut cookie = format!("xk_lang={lang}");
    if let Some(session) = session {
        cookie = format!("{cookie}; {session}");
    }
    send(Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap())
}

fn post(path: &str, form: &str, session: Option<&str>) -> Answer {
    let mut request =
        Request::post(path).header(header::HOST, "office").header("sec-fetch-site", "same-origin");
    if let Some(session) = session {
        request = request.header(header::COOKIE, session);
    }
    send(request.body(Body::from(form.to_owned())).unwrap())
}

fn sign_in(name: &str) -> String {
    static KNOWN: OnceLock<std::sync::Mutex<BTreeMap<String, String>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Default::default).lock().unwrap();
    known
        .entry(name.to_owned())
        .or_insert_with(|| {
            let form = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
            let answer = post("/sign-in", &form, None);
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
            answer.cookie.split(';').next().unwrap().to_owned()
        })
        .clone()
}

/// Addresses in a page that begin so, as a browser follows them.
fn links<'a>(page: &'a str, beginning: &str) -> Vec<(String, &'a str)> {
    let mut links = Vec::new();
    for piece in page.split("href=\"").skip(1) {
        let (link, rest) = piece.split_once('"').unwrap();
        if link.starts_with(beginning) {
            let text = rest.split_once('>').unwrap().1.split_once("</a>").unwrap().0;
            links.push((link.replace("&#38;", "&").replace("&amp;", "&"), text));
        }
    }
    links
}

fn total(list: &str, session: &str) -> Json {
    let (path, query) = list.split_once('?').unwrap();
    let answer = get(&format!("{path}.json?{query}"), Some(session), Lang::Zh);
    assert_eq!(answer.status, StatusCode::OK, "{list}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// The last number of a text, thousands apart.
fn number_in(text: &str) -> Option<u64> {
    let plain: String =
        text.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
    let mut numbers = plain.split(|letter: char| !letter.is_ascii_digit() && letter != ',');
    numbers.rfind(|part| part.chars().any(|letter| letter.is_ascii_digit()))?.replace(',', "").parse().ok()
}

/// A page without its tags.
fn visible(page: &str) -> String {
    page.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect()
}

/// Pages of every kind, for somebody of the county.
fn pages() -> Vec<String> {
    vec![
        "/decision".to_owned(),
        format!("/decision?division={VILLAGE}"),
        "/lists".to_owned(),
        format!("/list/household?division={COUNTY}&rule=minimum_living:yes"),
        format!("/list/village?division={COUNTY}&rule=village_hardened_road:no&sort=-households"),
        format!("/list/person?division={COUNTY}&is=household.poor:true"),
        format!("/explain/household/{OUTSIDE}/minimum_living"),
        format!("/explain/household/{INSIDE}/household_exit"),
        format!("/record/household/{OUTSIDE}"),
        format!("/record/village/{VILLAGE}"),
        format!("/places/{COUNTY}"),
        format!("/places/{VILLAGE}"),
        "/money/7.1".to_owned(),
        "/today".to_owned(),
        format!("/cases/{CASE}"),
        "/run".to_owned(),
        "/sign-in".to_owned(),
        "/nowhere".to_owned(),
        format!("/list/household?division={COUNTY}&rule=nothing"),
    ]
}

#[test]
fn every_page_speaks_the_language_that_is_asked_for_and_not_the_other() {
    let session = sign_in("county");
    let reading = Reading::open(&Sample::get().run, &xiaokang::console::pack_cache()).unwrap();
    let titles: Vec<&model::Text> = reading.program().rules.iter().map(|rule| &rule.title).collect();
    let clauses: Vec<&model::Text> = reading.program().clauses.iter().map(|clause| &clause.summary).collect();
    let texts =
        titles.into_iter().chain(clauses).filter(|text| text.zh.chars().count() > 5 && text.zh != text.en);
    let texts: Vec<(String, String)> = texts.map(|text| (text.zh.clone(), text.en.clone())).collect();
    for path in pages() {
        for (lang, words) in [(Lang::Zh, "lang=\"zh-CN\""), (Lang::En, "lang=\"en\"")] {
            let page = get(&path, Some(&session), lang).body;
            assert!(page.contains(words), "{path}");
            let page = visible(&page);
            for (key, zh, en) in CATALOGUE.iter().filter(|(key, ..)| *key != "other_language") {
                let other = if lang == Lang::Zh { en } else { zh };
                // A short word may be part of a name.
                if other.chars().count() > 3 && (lang == Lang::En || other.contains(' ')) {
                    assert!(!page.contains(other), "{path} in {lang} says `{other}` ({key})");
                }
            }
            // Documents are cited as they are called.
            for (zh, en) in texts.iter().filter(|_| path != "/run") {
                let other = if lang == Lang::Zh { en } else { zh };
                // One word alone may be an id, as of a kind of money.
                if lang == Lang::Zh && !other.contains(' ') {
                    continue;
                }
                assert!(!page.contains(other.as_str()), "{path} in {lang} says `{other}`");
            }
        }
    }
}

#[test]
fn every_figure_of_the_decision_is_as_long_as_the_list_behind_it() {
    let session = sign_in("county");
    for division in [COUNTY, VILLAGE] {
        let page = get(&format!("/decision?division={division}"), Some(&session), Lang::Zh);
        assert_eq!(page.status, StatusCode::OK);
        let figures = links(&page.body, "/list/");
        assert!(figures.len() > 20, "{division}: {}", figures.len());
        let mut seen = BTreeSet::new();
        for (link, text) in figures {
            // Shares are no counts; their parts are beside them.
            if text.contains('%') || !seen.insert(link.clone()) {
                continue;
            }
            let list = total(&link, &session);
            assert_eq!(number_in(text), list["total"].as_u64(), "{link}: {text}");
            assert_eq!(list["rows"].as_array().unwrap().len() as u64, list["total"].as_u64().unwrap());
        }
    }
}

#[test]
fn the_totals_of_the_whole_are_those_of_the_run() {
    let reading = Reading::open(&Sample::get().run, &xiaokang::console::pack_cache()).unwrap();
    let whole = reading.place("51").unwrap().unwrap();
    let totals = reading.totals(whole).unwrap();
    assert!(totals.len() > 15, "{}", totals.len());
    for total in totals {
        let manifest = reading.manifest();
        assert_eq!(Some(&total.value), manifest.totals.get(&total.total.id), "{}", total.total.id);
        assert_eq!(Some(&total.unknown), manifest.unknown.get(&total.total.id), "{}", total.total.id);
    }
}

#[test]
fn a_file_has_as_many_rows_as_its_page_says() {
    let session = sign_in("county");
    for query in
        ["", "&rule=minimum_living:yes", "&rule=household_exit:unknown", "&is=poor:true&sort=-members"]
    {
        let list = format!("/list/household?division={COUNTY}{query}");
        let page = get(&list, Some(&session), Lang::En).body;
        let said = page.split_once("<p class=\"count\"><b>").unwrap().1.split_once("</b>").unwrap().0;
        let file = get(&list.replace('?', ".csv?"), Some(&session), Lang::En);
        let mut rows = csv::Reader::from_reader(file.body.as_bytes());
        assert_eq!(number_in(said), Some(rows.records().count() as u64), "{query}: {said}");
        assert!(get(&list.replace('?', ".xlsx?"), Some(&session), Lang::En).body.starts_with("PK"));
    }
}

#[test]
fn pages_of_a_list_hold_every_record_once_and_in_order() {
    let session = sign_in("county");
    let base = format!("/list/household?division={COUNTY}&sort=-income_per_person");
    let all = total(&base, &session);
    let all: Vec<&str> =
        all["rows"].as_array().unwrap().iter().map(|row| row["number"].as_str().unwrap()).collect();
    let mut seen: Vec<String> = Vec::new();
    for page in 1..=all.len().div_ceil(100) {
        let page = get(&format!("{base}&page={page}"), Some(&session), Lang::Zh).body;
        let keys = links(&page, "/record/household/");
        seen.extend(keys.into_iter().map(|(link, _)| link.rsplit('/').next().unwrap().to_owned()));
    }
    assert_eq!(seen, all);
}

#[test]
fn what_anyone_meets_on_each_page_is_as_the_table_says() {
    let table = include_str!("pages/anyone.txt");
    let mut walked = String::new();
    for (method, route) in ROUTES {
        let path = route
            .replace("{name}", "household")
            .replace("{entity}", "household")
            .replace("{key}", OUTSIDE)
            .replace("{rule}", "minimum_living")
            .replace("{code}", COUNTY)
            .replace("{clause}", "7.1")
            .replace("{case}", CASE);
        let answer = if *method == "POST" { post(&path, "", None) } else { get(&path, None, Lang::Zh) };
        walked.push_str(&format!("{method} {route} {}\n", answer.status.as_u16()));
    }
    assert_eq!(walked, table);
}

#[test]
fn anyone_is_told_figures_of_counties_and_nobodys_number() {
    let page = get("/decision", None, Lang::Zh).body;
    assert!(links(&page, "/list/").is_empty() && links(&page, "/record/").is_empty());
    let mut told = 0;
    for piece in page.split("<b>").skip(1) {
        let (number, rest) = piece.split_once("</b>").unwrap();
        let of_persons = [" 户", " 人"].iter().any(|word| rest.starts_with(word));
        let Ok(number) = number.replace(',', "").parse::<u64>() else { continue };
        assert!(
            !of_persons || number == 0 || number >= 5,
            "{number}{}",
            rest.chars().take(20).collect::<String>()
        );
        told += u64::from(of_persons);
    }
    assert!(told > 5, "{told}");
    assert!(page.contains("不公开"));
    for path in [format!("/decision?division={VILLAGE}"), format!("/places/{VILLAGE}")] {
        assert_eq!(get(&path, None, Lang::Zh).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn what_is_out_of_reach_is_not_there() {
    let village = sign_in("village");
    for (path, status) in [
        (format!("/record/household/{INSIDE}"), 200),
        (format!("/record/household/{OUTSIDE}"), 404),
        (format!("/explain/household/{INSIDE}/minimum_living"), 200),
        (format!("/explain/household/{OUTSIDE}/minimum_living"), 404),
        (format!("/list/household?division={VILLAGE}"), 200),
        (format!("/list/household?division={COUNTY}"), 404),
        (format!("/list/household.csv?division={COUNTY}"), 404),
        (format!("/cases/{CASE}"), 200),
        (format!("/decision?division={COUNTY}"), 200),
        ("/decision?division=513336100".to_owned(), 404),
        ("/list/household".to_owned(), 200),
    ] {
        assert_eq!(get(&path, Some(&village), Lang::Zh).status.as_u16(), status, "{path}");
    }
    let all = total("/list/household?", &village);
    assert_eq!(all["division"], VILLAGE);
    assert_eq!(post("/find", &format!("key={OUTSIDE}"), Some(&village)).status, StatusCode::NOT_FOUND);
    let found = post("/find", &format!("key={INSIDE}"), Some(&village));
    assert_eq!(found.location, format!("/record/household/{INSIDE}"));
}

#[test]
fn names_and_numbers_are_masked_on_pages_and_in_files() {
    let session = sign_in("county");
    let reading = Reading::open(&Sample::get().run, &xiaokang::console::pack_cache()).unwrap();
    let program = reading.program();
    let person = program.entity_named("person").unwrap();
    let identity = program.column_named(person, "citizen_number").unwrap();
    let name = program.column_named(person, "name").unwrap();
    let text = |id| match reading.value(id, 0).unwrap() {
        Some(pack::program::Value::Text(text)) => text,
        other => panic!("{other:?}"),
    };
    let (key, identity, name) = (reading.key(person, 0).unwrap(), text(identity), text(name));
    for path in [
        format!("/record/person/{key}"),
        format!("/list/person?division={COUNTY}"),
        format!("/list/person.csv?division={COUNTY}"),
        format!("/list/person.json?division={COUNTY}"),
    ] {
        let page = get(&path, Some(&session), Lang::Zh);
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.body.contains(&identity) && !page.body.contains(&name), "{path}");
    }
    let asked = get(&format!("/list/person?is=name:{name}"), Some(&session), Lang::Zh);
    assert_eq!(asked.status, StatusCode::BAD_REQUEST);
}

#[test]
fn acting_on_a_case_is_refused_with_its_reason_or_done() {
    let village = sign_in("village");
    let page = get(&format!("/cases/{CASE}"), Some(&village), Lang::En).body;
    assert!(page.contains("action=\"/cases/") && page.contains("name=\"act\""), "{page}");
    let act = format!("/cases/{CASE}/act");
    // The notice still hangs.
    let refused = post(&act, "act=complete&role=village&strand=0", Some(&village));
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    // A role that the account does not have is nobody's.
    let foreign = post(&act, "act=complete&role=county&strand=0", Some(&village));
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
}

#[test]
fn signing_in_takes_the_right_password_from_this_very_site() {
    let wrong = post("/sign-in", "name=county&password=guess", None);
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"county\"") && wrong.cookie.is_empty());
    let form = format!("name=county&password={}&back=/lists", PASSWORD.replace(' ', "+"));
    let elsewhere =
        Request::post("/sign-in").header(header::HOST, "office").header("sec-fetch-site", "cross-site");
    assert_eq!(send(elsewhere.body(Body::from(form.clone())).unwrap()).status, StatusCode::FORBIDDEN);
    let right = post("/sign-in", &form, None);
    assert_eq!((right.status, right.location.as_str()), (StatusCode::SEE_OTHER, "/lists"));
    assert!(right.cookie.contains("HttpOnly") && right.cookie.contains("SameSite=Lax"), "{}", right.cookie);
    let session = right.cookie.split(';').next().unwrap().to_owned();
    assert_eq!(get("/lists", Some(&session), Lang::Zh).status, StatusCode::OK);
    assert_eq!(post("/sign-out", "", Some(&session)).status, StatusCode::SEE_OTHER);
    assert_eq!(get("/lists", Some(&session), Lang::Zh).status, StatusCode::NOT_FOUND);
}

#[test]
fn nothing_runs_in_a_page_and_nothing_is_fetched_from_elsewhere() {
    let session = sign_in("county");
    for path in pages() {
        let page = get(&path, Some(&session), Lang::Zh).body;
        assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains(" on"), "{path}");
        assert!(!page.contains("http://") && !page.contains("https://"), "{path}");
    }
    let request = Request::get("/decision").body(Body::empty()).unwrap();
    let runtime = web::runtime().unwrap();
    let response = runtime.block_on(router(Arc::clone(&Sample::get().office)).oneshot(request)).unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

/// An office of its own, on a copy of the sample.
fn other_office(now: fn() -> Moment) -> (tempfile::TempDir, Arc<Office>) {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    copy(&Sample::get().registry, &registry);
    let sources = Sources { now, random };
    let office = Office::open(&registry, None, xiaokang::console::pack_cache(), sources, false).unwrap();
    (folder, office)
}

#[test]
fn a_step_is_completed_from_its_page_when_its_notice_has_hung() {
    // 2016-03-18.
    let (_folder, office) = other_office(|| Moment::from_unix_ms(1_458_295_200_000));
    let request = |path: &str, session: &str, form: String| {
        let request = Request::post(path).header(header::HOST, "office").header(header::COOKIE, session);
        request.body(Body::from(form)).unwrap()
    };
    let form = format!("name=village&password={}", PASSWORD.replace(' ', "+"));
    let signed = send_to(&office, request("/sign-in", "", form));
    let session = signed.cookie.split(';').next().unwrap().to_owned();
    let get = || {
        let page = Request::get(format!("/cases/{CASE}")).header(header::COOKIE, &session);
        send_to(&office, page.body(Body::empty()).unwrap()).body
    };
    let page = get();
    assert!(page.contains("value=\"complete\""), "{page}");
    let step = page.split_once("name=\"step\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let form = format!("act=complete&role=village&strand=0&step={step}");
    let done = send_to(&office, request(&format!("/cases/{CASE}/act"), &session, form));
    assert_eq!(
        (done.status, done.location),
        (StatusCode::SEE_OTHER, format!("/cases/{CASE}")),
        "{}",
        done.body
    );
    assert!(get().contains("村委会 village"), "who did it is named");
}

#[test]
fn a_newer_run_is_served_without_a_restart() {
    let (folder, office) = other_office(now);
    let registry = folder.path().join("registry").display().to_string();
    let pack = pack_folder().display().to_string();
    command(&["xiaokang", "assess", "--registry", &registry, "--pack", &pack, "--as-of", "2016-06-30"]);
    let page = send_to(&office, Request::get("/decision").body(Body::empty()).unwrap()).body;
    assert!(page.contains("2016-06-30"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn a_document_is_attached_from_the_page_and_its_digest_kept() {
    // 2016-03-18: the notice has hung, and the township's review comes next.
    let (_folder, office) = other_office(|| Moment::from_unix_ms(1_458_295_200_000));
    let post = |path: &str, session: &str, kind: &str, body: String| {
        let request = Request::post(path).header(header::HOST, "office").header(header::COOKIE, session);
        send_to(&office, request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let enter = |name: &str| {
        let body = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
        post("/sign-in", "", form, body).cookie.split(';').next().unwrap().to_owned()
    };
    let (village, township) = (enter("village"), enter("township"));
    let act = format!("/cases/{CASE}/act");
    let done = post(&act, &village, form, "act=complete&role=village&strand=0".to_owned());
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let part = |name: &str, value: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields = [("act", "attach"), ("role", "township"), ("strand", "0"), ("kind", "opinion")];
    let mut body: String = fields.iter().map(|(name, value)| part(name, value)).collect();
    body.push_str(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nagreed\r\n--x--\r\n",
    );
    let done = post(&act, &township, "multipart/form-data; boundary=x", body);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let page = Request::get(format!("/cases/{CASE}")).header(header::COOKIE, &township);
    let page = send_to(&office, page.body(Body::empty()).unwrap()).body;
    assert!(page.contains("乡镇 township"), "{page}");
}

#[test]
fn a_registry_without_a_run_is_not_served_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let cache = xiaokang::console::pack_cache();
    let refused = Office::open(folder.path(), None, cache, Sources { now, random }, false);
    let text = refused.err().unwrap().problem().message(Lang::En);
    assert!(text.contains("has no run") && text.contains("xiaokang assess"), "{text}");
}
