//! Billing beyond TMF678: runs, payments, adjustments, the books, missed
//! events, and bills for people.

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::VARY;
use commerce::billing::bill_state::{BillState, Release};
use commerce::billing::statement::Statement;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::day::Day;
use tmf::document::write;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::rights::readable;
use crate::http::{ServerState, answer};
use crate::policies::billing::Asked;

/// Dispatches a path below `billing`.
pub(super) async fn dispatch(server: &ServerState, mut call: Call, path: &[&str]) -> Answer {
    match path {
        ["runs"] if call.method == axum::http::Method::GET => {
            Ok(answer::json(StatusCode::OK, &write(&server.policies.billing.runs().await?)))
        }
        ["runs", id] => {
            let missing = || Problem::not_found(format!("there is no bill run `{id}`")).about("id");
            let run = server.policies.billing.one_run(id).await?.ok_or_else(missing)?;
            Ok(answer::json(StatusCode::OK, &write(&run)))
        }
        ["runs", id, "undo"] => {
            let missing = || Problem::not_found(format!("there is no bill run `{id}`")).about("id");
            let run = server.policies.billing.undo(id).await?.ok_or_else(missing)?;
            Ok(answer::json(StatusCode::OK, &write(&run)))
        }
        ["runs"] => {
            let asked = asked(server, &body(&mut call)?)?;
            let ran = server.policies.billing.run(asked).await?;
            made(&ran)
        }
        ["payments"] => {
            let body = typed(&mut call)?;
            made(&server.policies.billing.pay(body).await?)
        }
        ["adjustments"] => {
            let body = typed(&mut call)?;
            made(&server.policies.billing.adjust(body).await?)
        }
        ["write-offs"] => {
            let body = typed(&mut call)?;
            made(&server.policies.billing.write_off(body).await?)
        }
        ["ledger"] => {
            let balance = server.policies.billing.trial_balance().await?;
            Ok(answer::json(StatusCode::OK, &write(&balance)))
        }
        ["assurance"] => {
            let until = call.query.get("until").map(|text| day("until", text)).transpose()?;
            let until = until.unwrap_or_else(|| server.settings.zone.day_of(server.engine.now()));
            let findings = server.policies.billing.findings(until).await?;
            Ok(answer::json(StatusCode::OK, &write(&findings)))
        }
        ["bills", id, "document"] => {
            let is_pdf = call.prefers("application/pdf", "text/html");
            if is_pdf { pdf(server, &call, id).await } else { page(server, &call, id).await }
        }
        ["bills", id, "document.pdf"] => pdf(server, &call, id).await,
        ["bills", step] => {
            let (from, to) = step_of(step)?;
            let moved = server.policies.billing.move_all(from, to).await?;
            Ok(answer::json(StatusCode::OK, &write(&moved)))
        }
        ["bills", id, step] => {
            let (_, to) = step_of(step)?;
            let missing = || Problem::not_found(format!("there is no bill `{id}`")).about("id");
            readable(server, &call, "customerBill", id).await?.ok_or_else(missing)?;
            let bill = server.policies.billing.move_one(id, to).await?.ok_or_else(missing)?;
            Ok(answer::json(StatusCode::OK, &write(&bill)))
        }
        _ => Err(nothing_here()),
    }
}

/// An action on bills: the states of the bills it applies to by default, and their next state.
fn step_of(step: &str) -> Result<(&'static [BillState], BillState), Problem> {
    match step {
        "validate" => Ok((&[BillState::New], BillState::Validated)),
        "send" => Ok((&[BillState::Validated, BillState::New], BillState::Sent)),
        "hold" => Ok((&[BillState::New, BillState::Validated], BillState::OnHold)),
        _ => Err(nothing_here()),
    }
}

/// A bill as a page without scripts or external content.
async fn page(server: &ServerState, call: &Call, id: &str) -> Answer {
    let page = statement(server, call, id).await?.html();
    let mut response = answer::page(page);
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

async fn pdf(server: &ServerState, call: &Call, id: &str) -> Answer {
    let pdf = statement(server, call, id).await?.pdf();
    let mut response = answer::with_type(StatusCode::OK, "application/pdf", pdf);
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

async fn statement(server: &ServerState, call: &Call, id: &str) -> Result<Statement, Problem> {
    let missing = || Problem::not_found(format!("there is no bill `{id}`")).about("id");
    readable(server, call, "customerBill", id).await?.ok_or_else(missing)?;
    server.policies.billing.statement(id).await?.ok_or_else(missing)
}

fn body(call: &mut Call) -> Result<Value, Problem> {
    let body = call.json_or_nothing()?.unwrap_or_else(|| serde_json::json!({}));
    if body.is_object() { Ok(body) } else { Err(Problem::bad("the body is a JSON object")) }
}

/// The body as its type. The error names the attribute.
fn typed<T: DeserializeOwned>(call: &mut Call) -> Result<T, Problem> {
    tmf::document::read(&body(call)?).map_err(|wrong| {
        let message = wrong.to_string();
        Problem::bad(message).about(wrong.attribute)
    })
}

fn asked(server: &ServerState, body: &Value) -> Result<Asked, Problem> {
    const KNOWN: [&str; 3] = ["date", "billingAccount", "send"];
    let unknown =
        body.as_object().and_then(|body| body.keys().find(|key| !KNOWN.contains(&key.as_str())));
    if let Some(unknown) = unknown {
        return Err(Problem::bad(format!("a run has no `{unknown}`")).about(unknown));
    }
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Problem::bad(format!("`{name}` is a text")).about(name)),
    };
    let account = match body.get("billingAccount") {
        Some(Value::Object(reference)) => {
            let missing =
                || Problem::bad("`billingAccount.id` is a text").about("billingAccount.id");
            let id = reference.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
            Some(id.ok_or_else(missing)?)
        }
        _ => text("billingAccount")?,
    };
    let today = server.settings.zone.day_of(server.engine.now());
    let release = match body.get("send") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(true)) => Some(Release::Sent),
        Some(Value::Bool(false)) => Some(Release::New),
        Some(_) => return Err(Problem::bad("`send` is `true` or `false`").about("send")),
    };
    let date = text("date")?.map(|text| day("date", text)).transpose()?.unwrap_or(today);
    if date > today {
        let message = format!("`date` is after today, which is {today}");
        return Err(Problem::unprocessable(message).about("date"));
    }
    if account == Some("") {
        return Err(Problem::bad("`billingAccount` is empty").about("billingAccount"));
    }
    Ok(Asked { date, account: account.map(str::to_owned), release })
}

fn day(name: &str, text: &str) -> Result<Day, Problem> {
    let wrong = || Problem::bad(format!("`{name}` is a day such as `2026-04-01`")).about(name);
    Day::parse(text).ok_or_else(wrong)
}

fn made(document: &impl Serialize) -> Answer {
    Ok(answer::json(StatusCode::CREATED, &write(document)))
}
