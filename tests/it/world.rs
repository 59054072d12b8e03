//! A server and a simulated network, each a process of its own, and a way to talk to both. What
//! the tests know of processes, ports and waiting is here.

mod books;
mod clients;
mod clock;
mod commerce;
mod compiled;
mod dice;
mod http;
mod network;
mod orders;
mod power;
mod process;
mod proxy;
mod receiver;
mod request;
mod story;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use engine::store::{Scan, Store as _};
use serde_json::Value;
use store::{Options, Sled};
use tempfile::TempDir;
use tokio::sync::OnceCell;

pub(crate) use books::{Books, items_of, price_of, text};
pub(crate) use clients::Clients;
pub(crate) use clock::Clock;
pub(crate) use commerce::SENT;
pub(crate) use compiled::kept_by;
pub(crate) use dice::{Dice, soaked};
pub(crate) use http::{Answer, Http};
pub(crate) use network::{Effect, Network};
pub(crate) use orders::{PAST, example, fresh, orders_of, pack_order, with_characteristic};
pub(crate) use power::{Power, Survivors, shim};
pub(crate) use process::{Output, Process, ferrule, ferrule_in};
pub(crate) use proxy::led_on;
pub(crate) use receiver::Receiver;
pub(crate) use request::{Request, Vanish};
pub(crate) use story::Story;

/// Whatever a test waits for has happened by then, even on a machine that is busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A client whose request is not answered by then asks again.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(20);

/// The pause between two looks at something that cannot be followed.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Ports below those that the system gives to clients: no process takes one while a server is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// What differs from one world to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The packs; those of the repository by default.
    pub(crate) workflows: Option<PathBuf>,
    /// The folder that plugins are dropped into; that of the shipped ones by default.
    pub(crate) plugins: Option<PathBuf>,
    /// Lines of `ferrule.toml` that come first.
    pub(crate) head: String,
    /// Lines of `ferrule.toml` that come last, such as grants.
    pub(crate) tail: String,
    /// The tenants besides the default one, with the same packs and plugins.
    pub(crate) tenants: &'static [&'static str],
    /// Whether the power can fail.
    pub(crate) disk: Disk,
    /// What the server's clock shows at first, in milliseconds since 1970; that of the machine by
    /// default.
    pub(crate) clock: Option<i64>,
    /// What another server compiled of the same plugins, from its data.
    pub(crate) compiled: Option<PathBuf>,
}

/// The disk that a server writes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disk {
    /// That of the machine.
    #[default]
    Plain,
    /// One that forgets what was not synced when the power fails.
    Forgetful,
}

/// A server with its network. It ends with the test.
pub(crate) struct World {
    pub(crate) http: Http,
    pub(crate) network: Network,
    settings: Settings,
    address: String,
    server: Option<Process>,
    power: Option<Power>,
    clock: Option<Clock>,
    /// Where everything lies. It goes last: a server that is dropped shows its log.
    pub(crate) folder: TempDir,
}

impl World {
    /// A world with the packs and plugins of this repository.
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// A world that is set up otherwise.
    pub(crate) async fn with(settings: Settings) -> Self {
        let compiled = match (&settings.compiled, &settings.plugins, settings.disk) {
            (Some(compiled), ..) => Some(compiled.clone()),
            (None, None, Disk::Plain) => Some(compiled::shipped().await),
            (None, ..) => None,
        };
        Self::made(settings, compiled).await
    }

    /// A world whose server has some plugins compiled.
    async fn made(settings: Settings, compiled: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::start(folder.path()).await;
        let grants = network.grants().await;
        let mut config = format!("{}\n{grants}\n{}", settings.head, settings.tail);
        for tenant in settings.tenants {
            config.push_str(&tenant_of(tenant, folder.path(), &grants).await);
        }
        std::fs::write(folder.path().join("ferrule.toml"), config).unwrap();
        if let Some(compiled) = &compiled {
            let of_tenants = settings.tenants.iter().map(|name| format!("data/tenants/{name}"));
            for data in of_tenants.chain(["data".to_owned()]) {
                copy(compiled, &folder.path().join(data).join(compiled::KEPT));
            }
        }
        let power = match settings.disk {
            Disk::Plain => None,
            Disk::Forgetful => Some(Power::begin(folder.path(), "data").await),
        };
        let clock = match settings.clock {
            None => None,
            Some(ms) => Some(Clock::begin(folder.path(), ms).await),
        };
        let environment = environment(power.as_ref(), clock.as_ref());
        loop {
            let address = format!("127.0.0.1:{}", next_port());
            let http = Http::new(&format!("http://{address}"));
            let network = network.clone();
            let settings = settings.clone();
            let started = serve(folder.path(), &settings, &address, &environment).await;
            match started {
                Ok(server) => {
                    let server = Some(server);
                    return Self { http, network, settings, address, server, power, clock, folder };
                }
                Err(said) if said.contains("cannot listen") => {}
                Err(said) => panic!("the server does not start: {said}"),
            }
        }
    }

    /// A client of a tenant.
    pub(crate) fn tenant(&self, name: &str) -> Http {
        Http::new(&format!("http://{}/tenants/{name}", self.address))
    }

    /// The folder of the store.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Kills the server. Its written data is still there, synced or not.
    pub(crate) async fn kill(&mut self) {
        self.server.take().expect("the server runs").kill().await;
    }

    /// Ends the server if it runs.
    pub(crate) async fn end(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    /// Ends the server as a power failure does: of what was not synced only these survive.
    pub(crate) async fn fail_power(&mut self, survivors: Survivors<'_>) {
        self.kill().await;
        self.power().fail(survivors);
    }

    /// The disk of a world whose power can fail.
    pub(crate) fn power(&self) -> &Power {
        self.power.as_ref().expect("the world has a forgetful disk")
    }

    /// The clock of a world whose clock is set by the test.
    pub(crate) fn clock(&self) -> &Clock {
        self.clock.as_ref().expect("the world has a clock of its own")
    }

    /// Starts the server again, at the same address: elements have it in their callbacks.
    pub(crate) async fn restart(&mut self) {
        self.try_restart().await.unwrap_or_else(|said| panic!("no restart: {said}"));
    }

    /// Starts the server again; the error is what it said where it refuses to.
    pub(crate) async fn try_restart(&mut self) -> Result<(), String> {
        let environment = environment(self.power.as_ref(), self.clock.as_ref());
        let server = serve(self.folder.path(), &self.settings, &self.address, &environment).await?;
        self.server = Some(server);
        Ok(())
    }

    /// The process of the server.
    pub(crate) fn process(&self) -> &Process {
        self.server.as_ref().expect("the server runs")
    }

    /// Sends a product order as a client would, and validates the answer by the standard.
    /// Returns the order's id.
    pub(crate) async fn submit(&self, order: &Value) -> String {
        let path = tmf::table::path("productOrder");
        let answer = self.http.post(path, order).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.body["id"].as_str().expect("an order has an id").to_string();
        let location = answer.headers["location"].to_str().unwrap();
        assert!(location.ends_with(&format!("{path}/{id}")), "{location}");
        assert_eq!(answer.body["href"].as_str(), Some(location));
        assert_eq!(answer.body["state"], "acknowledged");
        id
    }

    /// Follows a fulfilment until it has ended; answers with how, and with its journal. The server
    /// may go away and come back meanwhile.
    pub(crate) async fn ended(&self, id: &str) -> Story {
        self.http.ended(id).await
    }

    /// Follows a fulfilment until it has completed.
    pub(crate) async fn completed(&self, id: &str) -> Story {
        let story = self.ended(id).await;
        assert_eq!(story.end, "completed", "{story}");
        story
    }

    /// Follows a fulfilment until a condition holds for its view; returns the view.
    pub(crate) async fn until(
        &self,
        id: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let path = format!("/orchestration/v1/fulfilments/{id}");
        let following = async {
            let mut stream = self.http.events(id, None).await.unwrap();
            while stream.next().await.unwrap().is_some() {
                let now = self.http.get(&path).await;
                if holds(&now) {
                    return now;
                }
            }
            let now = self.http.get(&path).await;
            panic!("it ended before {what}: {now:#}");
        };
        match tokio::time::timeout(DEADLINE, following).await {
            Ok(found) => found,
            Err(_) => panic!("waited too long until {what}: {:#}", self.http.get(&path).await),
        }
    }

    /// Follows a fulfilment until it waits for a person.
    pub(crate) async fn held(&self, id: &str) -> Value {
        self.until(id, "it is held", |now| now["state"] == "held").await
    }

    /// Waits until a fulfilment has ended or is held; returns its view.
    pub(crate) async fn settled(&self, id: &str) -> Value {
        let path = format!("/orchestration/v1/fulfilments/{id}");
        let look = async || {
            let now = self.http.get(&path).await;
            let is_open = ["submitted", "running", "rollingBack"].contains(&now["state"].as_str()?);
            (!is_open).then_some(now)
        };
        eventually(&format!("{id} has ended or is held"), look).await
    }

    /// Reconciles; answers with what was found, a line each.
    pub(crate) async fn findings(&self, scope: &Value) -> Vec<String> {
        let path = "/orchestration/v1/reconciliations";
        let asked = self.http.post(path, scope).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let path = format!("{path}/{}", text(&asked.body["id"]));
        let look = async || {
            let now = self.http.get(&path).await;
            (now["state"] == "completed" || now["state"] == "failed").then_some(now)
        };
        let ended = eventually("the reconciliation has ended", look).await;
        assert_eq!(ended["state"], "completed", "{ended:#}");
        ended["findings"].as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    /// The product order, service order or resource order of a fulfilment.
    pub(crate) async fn order(&self, resource: &str, id: &str) -> Value {
        self.http.get(&format!("{}/{id}", tmf::table::path(resource))).await
    }

    /// The plan as text.
    pub(crate) async fn plan(&self, id: &str) -> String {
        let path = format!("/orchestration/v1/fulfilments/{id}/plan");
        let answer = self.http.send("GET", &path, &[("accept", "text/plain")], "").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    /// Has what failed tried again.
    pub(crate) async fn retry(&self, id: &str) {
        let path = format!("/orchestration/v1/fulfilments/{id}/retry");
        let answer = self.http.send("POST", &path, &[], "").await.unwrap();
        assert!((200..300).contains(&answer.status), "{}: {}", answer.status, answer.text);
    }

    /// All that the server and the network say now.
    pub(crate) async fn books(&self) -> Books {
        Books::read(&self.http, &self.network).await
    }
}

/// Sets up a tenant with the packs and plugins of this repository; answers with the lines of the server's
/// settings about it.
async fn tenant_of(name: &str, folder: &Path, grants: &str) -> String {
    copy(&plugins_dir().await, &folder.join(name));
    let workflows = repository().join("workflows");
    let head = format!("plugins-dir = {name:?}\nworkflows-dir = {workflows:?}\n");
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, head + grants).unwrap();
    format!("\n[tenants.{name}]\nsettings = {path:?}\n")
}

/// What the shims of a server have to find in its environment.
fn environment(power: Option<&Power>, clock: Option<&Clock>) -> Vec<(&'static str, PathBuf)> {
    let power = power.map(Power::environment).unwrap_or_default();
    let clock = clock.map(Clock::environment).unwrap_or_default();
    power.into_iter().chain(clock).collect()
}

async fn serve(
    folder: &Path,
    settings: &Settings,
    address: &str,
    environment: &[(&'static str, PathBuf)],
) -> Result<Process, String> {
    let arguments = serving(folder, settings, address).await;
    let started = Process::start_in("serve", &arguments, folder, environment).await;
    let (server, _url) = started?;
    Ok(server)
}

/// The arguments of a server in a folder.
pub(crate) async fn serving(folder: &Path, settings: &Settings, address: &str) -> Vec<String> {
    let plugins = match &settings.plugins {
        Some(plugins) => plugins.clone(),
        None => plugins_dir().await,
    };
    let workflows = settings.workflows.clone().unwrap_or_else(|| repository().join("workflows"));
    let path = |path: PathBuf| path.to_str().expect("a path is a text").to_string();
    vec![
        "serve".to_string(),
        "--config".into(),
        path(folder.join("ferrule.toml")),
        "--listen".into(),
        address.into(),
        "--data".into(),
        path(folder.join("data")),
        "--plugins".into(),
        path(plugins),
        "--workflows".into(),
        path(workflows),
    ]
}

/// The facts of a store that no server has open, each with its key. Their values are packed in its files, so a search of
/// those alone would find nothing.
pub(crate) fn facts(data: &Path) -> Vec<Vec<u8>> {
    let store = Sled::open(data.join("store"), &Options::default()).unwrap();
    let all = Scan::prefix(Vec::new(), usize::MAX);
    store.scan(&all).unwrap().into_iter().map(|(key, value)| [key, value].concat()).collect()
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate is two folders below the root").into()
}

/// The packs of the repository, one of their files written otherwise.
pub(crate) fn copied_packs(file: &str, change: impl FnOnce(&str) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository().join("workflows"), folder.path());
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "nothing is otherwise in `{file}`");
    std::fs::write(path, changed).unwrap();
    folder
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// The shipped plugins, built once.
pub(crate) async fn plugins_dir() -> PathBuf {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let built = BUILT.get_or_init(|| async {
        let output = ferrule(&["plugin", "build"]).await;
        assert!(output.ok, "the plugins do not build: {}", output.err);
        PathBuf::from(output.out.trim())
    });
    built.await.clone()
}

/// A port on which no process listens.
pub(crate) fn next_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    loop {
        // Test runs that go on at one time begin far from each other.
        let own = u16::try_from(std::process::id() % u32::from(span)).unwrap_or(0);
        let number = (u32::from(own) * 37 + u32::from(NEXT.fetch_add(1, Ordering::Relaxed)))
            % u32::from(span);
        let port = PORTS.start + u16::try_from(number).unwrap_or(0);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Looks again and again until something is there.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        let mut pause = PAUSE_MIN;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(pause).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    };
    let found = tokio::time::timeout(DEADLINE, looking).await;
    found.unwrap_or_else(|_| panic!("waited too long until {what}"))
}
