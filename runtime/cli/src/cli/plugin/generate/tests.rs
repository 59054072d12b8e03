#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use proptest::prelude::*;

use super::api::{Api, Operation};
use super::plan::{Adapter, Planned};
use super::script::Syntax;
use super::{cases, openapi, postman, probe, rust, schemas, script, select, undo};

const COLLECTION: &str = include_str!("../../../../../../tests/it/generate/lines.postman.json");
const LINES: &str = include_str!("../../../../../../tests/it/generate/lines.yaml");

fn read(text: &str) -> Result<Api, String> {
    openapi::read(text).map_err(|problem| problem.to_string())
}

/// A description with these paths and components, as YAML.
fn described(paths: &str, more: &str) -> String {
    format!("openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths:\n  {paths}\n{more}")
}

/// The only operation of a description, and why it cannot be adapted.
fn problem(paths: &str, more: &str) -> String {
    let api = read(&described(paths, more)).unwrap();
    match &api.operations[..] {
        [Operation { call: Err(problem), .. }] => problem.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The sources in Rust, which must be Rust, and those in the other languages.
fn print(api: &Api) -> Vec<(String, String)> {
    let usable: Vec<&Operation> = api.operations.iter().filter(|one| one.call.is_ok()).collect();
    let adapter = Adapter::new(api, &usable);
    let schemas = schemas(&adapter);
    let mut files = rust::print(&adapter);
    for (path, text) in &files {
        if let Err(error) = syn::parse_file(text) {
            panic!("{path}: {error}\n{text}");
        }
    }
    files.extend(script::print(&adapter, &schemas, Syntax::Javascript));
    files.extend(script::print(&adapter, &schemas, Syntax::Python));
    files.push(("cases.json".into(), cases::cases(&adapter)));
    files
}

#[test]
fn undo_and_probe_are_proposed_by_method_and_path() {
    let api = read(LINES).unwrap();
    let mut lines = Vec::new();
    for operation in &api.operations {
        let Ok(call) = &operation.call else { continue };
        let planned = Planned::new(&api, operation, call, &operation.key());
        let cut = |text: String| text.split(": ").next().unwrap_or_default().to_owned();
        lines.push(format!(
            "{}: {} | {}",
            operation.key(),
            cut(undo(&planned)),
            cut(probe(&planned))
        ));
    }
    assert_eq!(
        lines,
        [
            "listLines: it changes nothing | sent again",
            "createLine: DELETE /lines/{id} | GET /lines, the entry whose `externalId` is the key of the task",
            "removePort: to decide | sent again",
            "getLine: it changes nothing | sent again",
            "putLine: DELETE /lines/{lineId} | GET /lines/{lineId}, compared with what was sent",
            "patchLine: to decide | GET /lines/{lineId}, compared with what was sent",
            "type: to decide | GET /lines/{lineId}, applied if it is not there",
            "addPort: DELETE /lines/{line}/ports/{id} | to decide",
            "postMeters: DELETE /meters/{id} | sent again",
            "deleteMeter: to decide | sent again",
            "getSlow: it changes nothing | sent again",
            "putSlow: DELETE /slow/{slowId} | GET /slow/{slowId}, compared with what was sent",
            "deleteSlow: to decide | GET /slow/{slowId}, applied if it is not there",
            "getJob: it changes nothing | sent again",
            "putJob: DELETE /works/{jobId} | GET /works/{jobId}, compared with what was sent",
            "deleteJob: to decide | GET /works/{jobId}, applied if it is not there",
        ]
    );
}

#[test]
fn files_that_are_no_description_are_refused_with_their_place() {
    let deep = format!("openapi: 3.0.0\npaths: {}{}", "{a: ".repeat(200), "}".repeat(200));
    for (text, expected) in [
        ("", "no description of an API"),
        ("{", "line 1, column 1: EOF"),
        ("{\"openapi\": \"3.0.0\",\n \"paths\": 7}", "line 2, column"),
        ("openapi: 3.0.0\npaths: [1]", "line 2, column"),
        ("openapi: 2.9\npaths: {}", "#/openapi: version `2.9` is not known"),
        ("swagger: '1.2'", "#/swagger: version `1.2` is not known"),
        ("openapi: 3.0.0\nswagger: '2.0'", "both OpenAPI and Swagger"),
        ("openapi: 3.1.0", "#/paths: the description has no operations"),
        ("openapi: 3.0.0\npaths: { /a: {}, /a: {} }", "line 2"),
        (&deep, "line 2"),
    ] {
        let refused = read(text).unwrap_err();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

/// Each line names the one before ten times, so the last has ten billion texts.
#[test]
fn aliases_do_not_multiply_without_end() {
    let mut text = String::from("openapi: 3.0.0\nx0: &a0 [y, y]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!("x{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    text.push_str("paths: { /a: { get: { parameters: [{ name: x, in: query, enum: *a9 }] } } }\n");
    let refused = read(&text).unwrap_err();
    assert!(refused.contains("line"), "{refused}");
}

/// Large files of YAML are read, as those of JSON are.
#[test]
fn a_large_description_is_read() {
    let paths: String = (0..20_000)
        .map(|one| format!("\n  /x{one}: {{ get: {{ operationId: o{one} }} }}"))
        .collect();
    let api = read(&described(&paths, "")).unwrap();
    assert_eq!(api.operations.len(), 20_000);
}

#[test]
fn an_operation_that_cannot_be_adapted_is_named_with_the_reason() {
    let get = |schema: &str| {
        format!(
            "/a: {{ get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }} }} }}"
        )
    };
    let loops = "components:\n  schemas:\n    A: { $ref: '#/components/schemas/B' }\n    B: { $ref: '#/components/schemas/A' }\n    C: { allOf: [ { $ref: '#/components/schemas/C' }, { $ref: '#/components/schemas/C' } ] }";
    for (paths, expected) in [
        (
            get("{ $ref: '#/components/schemas/A' }"),
            "#/paths/~1a/get: `$ref` leads from one schema to the next",
        ),
        (get("{ $ref: '#/components/schemas/C' }"), "or of itself"),
        (
            get("{ $ref: '#/components/schemas/None' }"),
            "`$ref` `#/components/schemas/None` leads nowhere",
        ),
        (get("{ $ref: 'other.yaml#/A' }"), "leads out of the file"),
        (get("{ $ref: 'https://x.test/a#/A' }"), "`npx @redocly/cli bundle`"),
        (get("{ $ref: '#/paths/~1a' }"), "is none of `#/components/schemas/NAME`"),
        ("/a/{x}y: { get: {} }".into(), "a part of a segment"),
        ("'/a b': { get: {} }".into(), "a character that no path"),
        ("a: { get: {} }".into(), "begins with `/`"),
        (
            "/a: { get: { parameters: [ { name: s, in: cookie, required: true } ] } }".into(),
            "`s` in `cookie`",
        ),
        (
            "/a: { post: { requestBody: { required: true, content: { text/xml: {} } } } }".into(),
            "no JSON but `text/xml`",
        ),
    ] {
        let found = problem(&paths, loops);
        assert!(found.contains(expected), "{paths}: {found}");
    }
}

#[test]
fn schemas_that_hold_themselves_are_cut() {
    let schemas = "components:\n  schemas:\n    A: { type: object, properties: { a: { $ref: '#/components/schemas/A' }, b: { type: array, items: { $ref: '#/components/schemas/A' } }, n: { type: string } } }";
    let body = "requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }";
    let api = read(&described(&format!("/a: {{ post: {{ {body} }} }}"), schemas)).unwrap();
    let files = print(&api);
    let (_, text) = files.iter().find(|(path, _)| path == "src/post_a.rs").unwrap();
    assert!(
        text.contains("struct A4") && !text.contains("struct A40") && text.len() < 20_000,
        "{text}"
    );
}

#[test]
fn names_are_selected_once_and_by_one_operation() {
    let api =
        read(&described("/a: { get: { operationId: x }, post: { operationId: x } }", "")).unwrap();
    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        select(&api, &names).unwrap_err().to_string()
    };
    assert!(refused(&["x"]).contains("name it `GET /a` or `POST /a`"));
    assert!(refused(&["y"]).contains("no operation `y`"));
    assert!(refused(&["GET /a", "GET /a"]).contains("named twice"));
    assert!(refused(&["GET /a"; 51]).contains("at most 50"));
    assert_eq!(select(&api, &["GET /a".into(), "POST /a".into()]).unwrap().len(), 2);
}

#[test]
fn names_of_an_api_become_names_of_a_program() {
    let paths = "/self/{type}: { put: { operationId: 'fn', parameters: [ { name: type, in: path }, { name: type, in: query, schema: { type: string } }, { name: element, in: query } ], requestBody: { content: { application/json: { schema: { type: object, properties: { fn: { type: string }, 'f-n': { type: string }, '1': { type: string }, '@type': { type: string }, '\"q\\\\': { type: string }, 'ä': { type: string, description: \"\\u202e*/ \\\"\\\"\\\"\" } } } } } } } }";
    let files = print(&read(&described(paths, "")).unwrap());
    let text: String = files.into_iter().map(|(_, text)| text).collect();
    assert!(text.contains("operation_fn.rs") || text.contains("mod operation_fn"), "{text}");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn requests_of_a_collection_become_operations() {
    let api = postman::read(COLLECTION).unwrap();
    let mut lines = Vec::new();
    for operation in &api.operations {
        let told = match &operation.call {
            Ok(call) => undo(&Planned::new(&api, operation, call, &operation.key())),
            Err(problem) => problem.to_string(),
        };
        lines.push(format!("{} = {}: {told}", operation.key(), operation.title()));
    }
    assert_eq!(api.server, "http://127.0.0.1:18099/v1");
    assert_eq!(lines[0], "createLine = POST /lines: DELETE /lines/{id}");
    assert_eq!(lines[1], "getLine = GET /lines/{lineId}: it changes nothing");
    assert_eq!(lines[2], "putLine = PUT /lines/{lineId}: DELETE /lines/{lineId}");
    assert_eq!(lines[4], "upload = POST /file: #/item/1: its body is no JSON but `formdata`");
    print(&api);
    for (text, expected) in [
        ("{", "line 1"),
        ("{\"info\": {\"schema\": \"x/v2.0.0/\"}}", "is no collection of v2.1"),
        ("{\"info\": {\"schema\": \"x/v2.1.0/\"}}", "has no requests"),
    ] {
        let refused = postman::read(text).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

/// TM Forum's definitions, where they are at hand: every operation is read, and what is made of it is Rust.
#[test]
fn definitions_of_tm_forum_are_read() {
    let mut count = 0;
    for folder in ["v4", "v5"] {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tmf");
        let folder = shared.join(folder);
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            let api = read(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for operation in &api.operations {
                assert!(operation.call.is_ok(), "{}: {operation:?}", path.display());
            }
            print(&api);
            count += api.operations.len();
        }
    }
    assert!(count == 0 || count > 500, "{count}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens to a description, reading it ends, and what it still gives is a program.
    #[test]
    fn damaged_descriptions_are_read_or_refused(
        at in 0.0..1.0f64, length in 0..40usize, put in "[ -~äπ\n\t{}\\[\\]:,&*'\"#$]{0,20}",
    ) {
        let place = (0..=LINES.len()).rev().find(|place| {
            *place as f64 <= at * LINES.len() as f64 && LINES.is_char_boundary(*place)
        });
        let (before, after) = LINES.split_at(place.unwrap_or_default());
        let after: String = after.chars().skip(length).collect();
        if let Ok(api) = read(&format!("{before}{put}{after}")) {
            print(&api);
        }
    }

    #[test]
    fn damaged_collections_are_read_or_refused(
        at in 0.0..1.0f64, length in 0..20usize, put in "[ -~ä\n{}\\[\\]:,\"]{0,12}",
    ) {
        let place = (0..=COLLECTION.len()).rev().find(|place| *place as f64 <= at * COLLECTION.len() as f64);
        let (before, after) = COLLECTION.split_at(place.unwrap_or_default());
        let after: String = after.chars().skip(length).collect();
        if let Ok(api) = postman::read(&format!("{before}{put}{after}")) {
            print(&api);
        }
    }

    #[test]
    fn any_names_make_a_program(names in proptest::collection::vec("\\PC{0,12}", 1..6), id in "\\PC{1,12}") {
        let properties: serde_json::Value = names.iter().map(|name| {
            (name.clone(), serde_json::json!({ "type": "string", "description": name }))
        }).collect::<serde_json::Map<_, _>>().into();
        let description = serde_json::json!({ "openapi": "3.1.0", "info": { "title": id, "version": id }, "paths": { "/a": { "post": {
            "operationId": id, "summary": id,
            "requestBody": { "content": { "application/json": { "schema": { "type": "object", "properties": properties } } } },
            "responses": { "200": { "content": { "application/json": { "schema": { "type": "object", "properties": properties } } } } },
        } } } });
        print(&read(&description.to_string()).unwrap());
    }
}
