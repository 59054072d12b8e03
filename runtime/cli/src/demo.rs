//! The demo: a whole operator in one process, one real order, and what became of it.

mod draw;
mod operator;
mod outcome;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use host::Grants;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::repository::Repository;
use server::config::Config;
use server::serve::Server;

/// The order that the demo sends when none is given.
const ORDER: &str = include_str!("../../../workflows/superfibre/orders/gpon.json");

/// Elements of the simulated network that speak REST or RESTCONF.
const REST_ELEMENTS: &[&str] = &[
    "olt-1",
    "bng-1",
    "cmts-1",
    "ipam",
    "warehouse",
    "cloud-wifi",
    "ota",
    "mnp",
    "voicemail",
    "iptv",
    "numbers",
];

/// Elements of the simulated network that speak JSON-RPC.
const JSONRPC_ELEMENTS: &[&str] = &["acs", "hss", "pcrf", "hlr", "ims"];

/// A document that was created.
#[derive(Deserialize)]
struct Created {
    id: String,
}

/// Options of the demo.
#[derive(Clone, Debug)]
pub(crate) struct Demo {
    pub listen: SocketAddr,
    /// Simulated elements that run elsewhere.
    pub simnet: Option<String>,
    /// Whether to go on serving.
    pub keep: bool,
    /// The order to send.
    pub order: Option<Value>,
}

/// The settings of a server with this repository's packs, plugins and simulated network.
pub(crate) fn config(base: Config, repository: &Repository, simnet: &str) -> Result<Config> {
    let mut config = base;
    config.plugins_dir = repository.build_plugins()?;
    config.workflows_dir = repository.workflows();
    config.base_grants = grants(simnet)?.into_iter().collect();
    Ok(config)
}

/// Starts the simulated network within this process; it ends with it.
pub(crate) async fn start_simnet() -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(simnet::serve(listener, std::future::pending()));
    Ok(url)
}

/// The grants of the shipped plugins for the simulated network.
fn grants(simnet: &str) -> Result<BTreeMap<String, Grants>> {
    let network = |elements: &[&str], suffix: &str| -> Result<Grants> {
        let config: BTreeMap<String, String> = elements
            .iter()
            .map(|name| (format!("element.{name}"), format!("{simnet}/{name}{suffix}")))
            .collect();
        let grants = json!({ "http": [simnet], "config": config });
        serde_json::from_value(grants).with_context(|| format!("`{simnet}` is no URL of a server"))
    };
    let pools = serde_json::from_value(json!({ "pools": ["*"] }))?;
    let kinds = ["customer", "customerBill", "product", "productOrder"];
    let checks = serde_json::from_value(json!({ "inventory": kinds }))?;
    Ok(BTreeMap::from([
        ("rest-activator".into(), network(REST_ELEMENTS, "")?),
        ("jsonrpc-activator".into(), network(JSONRPC_ELEMENTS, "/rpc")?),
        ("pool-allocator".into(), pools),
        ("order-checks".into(), checks),
    ]))
}

/// Runs the demo: an error unless the order completed.
pub(crate) async fn run(demo: Demo, mut out: impl std::io::Write) -> Result<()> {
    let repository = Repository::find()?;
    let data = tempfile::Builder::new().prefix("ferrule-demo-").tempdir()?;
    let simnet = match demo.simnet {
        Some(url) => url,
        None => start_simnet().await?,
    };
    let base = Config { listen: demo.listen, data: data.path().to_owned(), ..Config::default() };
    let config = tokio::task::block_in_place(|| config(base, &repository, &simnet))?;
    let began = Instant::now();
    let server = Server::start(config).await?;
    let plugins = server.plugins().await;
    for loaded in plugins.iter() {
        if let Err(error) = &loaded.result {
            bail!("{}: {}", loaded.file.display(), server::serve::reason(error));
        }
    }
    let base = format!("{}://{}", server.scheme, server.address);
    writeln!(
        out,
        "Ferrule serves {base} with {} plugins, up in {:.1?}.",
        plugins.len(),
        began.elapsed()
    )?;
    writeln!(out, "The simulated network is at {simnet}; its effects are at {simnet}/_effects.\n")?;
    let client = Client::local(&base)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        tokio::select! {
            // An error means that the demo has ended, which is as good.
            _ = stopped => {}
            () = server::shutdown() => {}
        }
    }));
    let order = match demo.order {
        Some(order) => order,
        None => serde_json::from_str(ORDER)?,
    };
    let mut completed = send_and_follow(&client, &order, &mut out).await;
    if demo.keep && completed.is_ok() {
        writeln!(out, "\nThe rest of a small operator:")?;
        completed = operator::live(&client, &simnet, &repository, &mut out).await;
    }
    if demo.keep {
        match &completed {
            Ok(()) => writeln!(out, "\nEvery API has something to show: {base}/openapi.json")?,
            Err(error) => writeln!(out, "\nNot all of it went well: {error:#}")?,
        }
        writeln!(out, "Ferrule goes on serving {base}; end it with Ctrl-C.")?;
        out.flush()?;
    } else {
        drop(stop);
    }
    serving.await??;
    completed
}

/// Sends the order as a client would, draws its plan while it runs, and prints what exists then.
async fn send_and_follow(
    client: &Client,
    order: &Value,
    out: &mut impl std::io::Write,
) -> Result<()> {
    let began = Instant::now();
    let path = tmf::table::path("productOrder");
    let sent = client.send(Method::POST, path, order).await?.success(path)?;
    let Created { id } = sent.json()?;
    let what = order.get("description").and_then(Value::as_str).unwrap_or("an order");
    writeln!(
        out,
        "POST {path}\n  {what}\n  201, {}/{path}/{id}\n",
        client.base(),
        path = path.trim_start_matches('/')
    )?;
    draw::follow(client, &id, out).await?;
    let took = began.elapsed();
    let state = outcome::print(client, &id, out).await?;
    writeln!(out, "\nThe order is {state} after {} ms.", took.as_millis())?;
    if state == "completed" { Ok(()) } else { bail!("the order did not complete: it is {state}") }
}
