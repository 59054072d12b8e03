//! Plugins in C and JavaScript that use secrets and a scratch space.

use crate::project::{Projects, has, text};
use crate::world::repository;

const SOURCE: &str = r#"
#include "ferrule.h"
#include "ferrule_scratch.h"
#include "ferrule_secrets.h"

bool exports_ferrule_plugin_work_run(ferrule_task *task, ferrule_outcome *outcome, ferrule_failure *failure) {
    (void)task;
    const char *last, *revision, *password = ferrule_require_secret("password", failure);
    if (!password || !ferrule_kept("serial", &last, &revision, failure)) return false;
    const char *next = ferrule_format("%s1", last ? last : "");
    if (!ferrule_keep("serial", next, revision, failure)) return false;
    if (!ferrule_drop("old", FERRULE_ANY, failure)) return false;
    if (ferrule_keep("serial", "lost", revision, failure)) return false;
    ferrule_json *outputs = ferrule_set(ferrule_object(), "serial", ferrule_new_text(next));
    ferrule_set(outputs, "conflict", ferrule_new_text(ferrule_text(failure->code)));
    ferrule_set(outputs, "length", ferrule_new_int((int)ferrule_string(password).len));
    return ferrule_succeed(outcome, outputs);
}

FERRULE_DESCRIBE("{\"type\": \"object\"}", "{\"type\": \"object\"}")
"#;

const TEST: &str = r#"
#include "fake.h"
#include "fake_scratch.h"
#include "fake_secrets.h"
#include "ferrule_secrets.h"

int main(void) {
    ferrule_task task = fake_task("{}", "{}");
    ferrule_outcome outcome;
    ferrule_failure failure;
    CHECK(!exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(fake_is(failure.code, "SECRET_MISSING"));
    fake_secret("password");
    fake_keep("old", "1");
    for (int at = 0; at < 2; at++) CHECK(exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(ferrule_same(fake_kept("serial"), "11"));
    CHECK(!fake_kept("old"));
    CHECK(ferrule_same(ferrule_basic("u", "pw"), "Basic dTpwdw=="));
    CHECK(ferrule_same(ferrule_basic("admin", "hunter2-hunter2"), "Basic YWRtaW46aHVudGVyMi1odW50ZXIy"));
    CHECK(ferrule_same(ferrule_basic("", ""), "Basic Og=="));
    return 0;
}
"#;

/// The lines that the world of a new step lacks.
const IMPORTS: &str =
    "    import ferrule:plugin/scratch@0.2.0;\n    import ferrule:plugin/secrets@0.2.0;\n";

#[test]
fn a_plugin_in_c_is_told_what_its_world_lacks_and_then_keeps_values_and_uses_secrets() {
    if !has("cc") || !has("clang") {
        return;
    }
    let projects = Projects::new();
    let project = projects.make_in("c", "acme-keeper", "step");
    std::fs::write(project.join("src/plugin.c"), SOURCE).unwrap();
    std::fs::write(project.join("test/plugin_test.c"), TEST).unwrap();
    let tested = projects.run("sh", &project, &["vendor/test.sh"]);
    assert!(text(&tested).contains("import ferrule:plugin/scratch@0.2.0;"), "{}", text(&tested));
    let refused = projects.ferrule(&project, &["plugin", "build"]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("import ferrule:plugin/scratch@0.2.0;"), "{}", text(&refused));
    let world = std::fs::read_to_string(project.join("wit/world.wit")).unwrap();
    let world = world.replace(
        "    export ferrule:plugin/work",
        &format!("{IMPORTS}    export ferrule:plugin/work"),
    );
    std::fs::write(project.join("wit/world.wit"), world).unwrap();
    let built = projects.build(&project);
    let tested = projects.run("sh", &project, &["vendor/test.sh"]);
    assert!(tested.status.success(), "{}", text(&tested));

    let settings = project.join("ferrule.toml");
    std::fs::write(&settings, "[plugins.acme-keeper]\nscratch = {}\n").unwrap();
    let arguments =
        ["plugin", "run", built.to_str().unwrap(), "--secret", "password=hunter2-hunter2"];
    let refused = projects.ferrule(&project, &arguments);
    assert!(text(&refused).contains("[plugins.acme-keeper.scratch]"), "{}", text(&refused));
    let arguments = [&arguments[..], &["--config", settings.to_str().unwrap()]].concat();
    let ran = projects.ferrule(&project, &arguments);
    let answer = text(&ran);
    assert!(ran.status.success(), "{answer}");
    assert!(answer.contains("\"serial\": \"1\""), "{answer}");
    assert!(answer.contains("\"conflict\": \"SCRATCH_CONFLICT\""), "{answer}");
    assert!(answer.contains("\"length\": 45"), "{answer}");
}

const SCRIPT: &str = r#"
import assert from "node:assert";
import { Host } from "SDK/fake.js";
import * as scratch from "SDK/scratch.js";
import * as secrets from "SDK/secrets.js";

const host = new Host().secret("password").kept("serial", "7").start();
assert.equal(secrets.basic("u", secrets.require("password")), "Basic dTpzZWNyZXQtcGFzc3dvcmQ=");
const { text, revision } = scratch.get("serial");
assert.equal(text, "7");
scratch.put("serial", "8", revision);
const is = (code, act) => assert.throws(act, (failure) => failure.code === code);
is("SCRATCH_CONFLICT", () => scratch.put("serial", "9", revision));
is("SCRATCH_CONFLICT", () => scratch.remove("serial", null));
is("SCRATCH_KEY", () => scratch.put("", "9"));
scratch.put("job/2", new Uint8Array([1, 2]), null);
scratch.put("job/1", "one");
assert.deepEqual(scratch.keys("job/").map(({ key, bytes }) => [key, bytes]), [["job/1", 3], ["job/2", 2]]);
assert.deepEqual(scratch.keys("", "job/1", 1).map(({ key }) => key), ["job/2"]);
scratch.remove("job/1");
assert.equal(scratch.get("job/1"), undefined);
assert.equal(host.scratchText("serial"), "8");
"#;

#[test]
fn the_fake_host_of_javascript_has_secrets_and_a_scratch_space() {
    if !has("node") {
        return;
    }
    let projects = Projects::new();
    let sdk = repository().join("plugins/sdk/javascript");
    let sdk = sdk.to_str().unwrap();
    let script = projects.folder.path().join("keeps.mjs");
    std::fs::write(&script, SCRIPT.replace("SDK", sdk)).unwrap();
    let register = format!("{sdk}/register.js");
    let arguments = ["--import", &register, script.to_str().unwrap()];
    let ran = projects.run("node", projects.folder.path(), &arguments);
    assert!(ran.status.success(), "{}", text(&ran));
}
