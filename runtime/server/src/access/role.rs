//! Roles: what identities may do. Those of `roles.toml` are always there; settings add others.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use model::expr::Expr;
use serde::{Deserialize, Serialize};
use tmf::nearest::hint;

use super::permission::{ApiName, Permission, Verb};
use super::scope::{Decision, Scope, VARIABLES};
use super::{Identity, condition};

/// The roles that are there without a setting.
const BUILT_IN: &str = include_str!("roles.toml");

/// The name of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleName(String);

/// A role as it is written in settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What it allows.
    pub allow: Vec<Allow>,
}

/// What a role allows, by patterns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// An API or several: `TMF622`, `TMF*`, `orchestration`, `server` or `*`.
    #[serde(rename = "api")]
    pub apis: OneOrMore,
    /// Resources; all of the API if there are none. `plugins/*` stands for `plugins` and all below it.
    #[serde(default)]
    pub resources: Vec<String>,
    pub verbs: Vec<Verb>,
    /// A condition on the document, in CEL.
    #[serde(default)]
    pub when: Option<String>,
}

/// A text, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// All roles, read and checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Roles(Arc<BTreeMap<RoleName, Vec<Grant>>>);

/// An [`Allow`], read.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    apis: Vec<ApiPattern>,
    resources: Vec<ResourcePattern>,
    verbs: Vec<Verb>,
    when: Option<Expr>,
}

#[derive(Clone, Copy, Debug)]
enum ApiPattern {
    Any,
    Standards,
    One(ApiName),
}

#[derive(Clone, Debug)]
enum ResourcePattern {
    Exact(String),
    /// It and all below it.
    Below(String),
}

/// A permission that an identity has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Granted {
    pub permission: String,
    /// The conditions of which one must be true; none if it covers all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<String>,
}

/// Why roles cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[access.roles.{role}] allow, entry {entry}: {mistake}")]
pub struct RoleError {
    pub role: String,
    /// From 1.
    pub entry: usize,
    pub mistake: String,
}

impl OneOrMore {
    /// The text, or all of them.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

impl RoleName {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The role that may do everything.
    pub fn administrator() -> Self {
        Self("administrator".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Roles {
    /// The roles of `roles.toml` with those of the settings, which may replace none of them. Each
    /// pattern must match some of the permissions that there are.
    pub fn new(custom: &BTreeMap<String, Role>, known: &[Permission]) -> Result<Self, RoleError> {
        let mut roles = built_in();
        for (name, role) in custom {
            let wrong = |entry: usize, mistake| RoleError { role: name.clone(), entry, mistake };
            if roles.contains_key(&RoleName::new(name)) {
                return Err(wrong(1, "this role is built in: choose another name".into()));
            }
            if role.allow.is_empty() {
                return Err(wrong(1, "there is none, so it allows nothing: add one".into()));
            }
            let read = role.allow.iter().enumerate().map(|(at, allow)| {
                let grant = Grant::read(allow).map_err(|mistake| wrong(at + 1, mistake))?;
                grant.check(allow, known).map_err(|mistake| wrong(at + 1, mistake))?;
                Ok(grant)
            });
            let grants = read.collect::<Result<Vec<_>, _>>()?;
            roles.insert(RoleName::new(name), grants);
        }
        Ok(Self(Arc::new(roles)))
    }

    /// Whether there is a role.
    pub fn knows(&self, role: &RoleName) -> bool {
        self.0.contains_key(role)
    }

    /// The role of this name; if there is none, why, with the nearest one.
    pub fn named(&self, name: &str) -> Result<RoleName, String> {
        let role = RoleName::new(name);
        if self.knows(&role) {
            return Ok(role);
        }
        Err(format!("there is no role `{name}`{}", hint(name, self.names().map(RoleName::as_str))))
    }

    /// The names of all roles.
    pub fn names(&self) -> impl Iterator<Item = &RoleName> {
        self.0.keys()
    }

    /// What an identity may do: of these permissions those that it has, each with its conditions.
    pub fn granted(&self, identity: &Identity, known: &[Permission]) -> Vec<Granted> {
        let granted = known.iter().filter_map(|permission| {
            let when = match self.decide(identity, permission) {
                Decision::Denied => return None,
                Decision::Allowed(scope) => scope.sources(),
            };
            // A condition that does not apply allows nothing.
            let is_useless = !when.is_empty() && permission.subject().is_none();
            (!is_useless).then(|| Granted { permission: permission.to_string(), when })
        });
        granted.collect()
    }

    /// Decides whether an identity may do what a permission names. A role that is unknown allows
    /// nothing.
    pub fn decide(&self, identity: &Identity, permission: &Permission) -> Decision {
        if identity.only.as_ref().is_some_and(|only| !only.covers(permission)) {
            return Decision::Denied;
        }
        let mut conditions = Vec::new();
        let grants = identity.roles.iter().filter_map(|role| self.0.get(role)).flatten();
        for grant in grants.filter(|grant| grant.matches(permission)) {
            match &grant.when {
                None => return Decision::Allowed(Scope::All),
                Some(condition) => conditions.push(condition.clone()),
            }
        }
        match conditions.is_empty() {
            true => Decision::Denied,
            false => Decision::Allowed(Scope::any(conditions, identity)),
        }
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self(Arc::new(built_in()))
    }
}

fn built_in() -> BTreeMap<RoleName, Vec<Grant>> {
    let roles: BTreeMap<String, Role> =
        toml::from_str(BUILT_IN).expect("a test reads the built-in roles");
    let read = |allow: &Allow| Grant::read(allow).expect("a test reads the built-in roles");
    let roles = roles.into_iter();
    roles.map(|(name, role)| (RoleName(name), role.allow.iter().map(read).collect())).collect()
}

impl Grant {
    pub(super) fn read(allow: &Allow) -> Result<Self, String> {
        let apis = allow
            .apis
            .texts()
            .iter()
            .map(|name| ApiPattern::read(name))
            .collect::<Result<_, _>>()?;
        let when = allow.when.as_deref().map(|source| {
            Expr::parse(source, &VARIABLES).map_err(|error| {
                format!("`when`, {}:{}: {}", error.line, error.column, error.message)
            })
        });
        Ok(Self {
            apis,
            resources: allow.resources.iter().map(|text| ResourcePattern::read(text)).collect(),
            verbs: allow.verbs.clone(),
            when: when.transpose()?,
        })
    }

    /// Refuses patterns that match nothing: they are misspelt.
    pub(super) fn check(&self, allow: &Allow, known: &[Permission]) -> Result<(), String> {
        if self.verbs.is_empty() || self.apis.is_empty() {
            return Err("it allows nothing: name at least one API and one verb".into());
        }
        for (pattern, text) in self.apis.iter().zip(allow.apis.texts()) {
            if !known.iter().any(|permission| pattern.covers(permission.api)) {
                return Err(format!("`{text}` is no API that is served here"));
            }
        }
        for (pattern, text) in self.resources.iter().zip(&allow.resources) {
            self.check_resource(pattern, text, known)?;
        }
        let matched: Vec<_> = known.iter().filter(|one| self.matches(one)).collect();
        for verb in &self.verbs {
            if !matched.iter().any(|permission| permission.verb == *verb) {
                return Err(format!("nothing there takes the verb `{}`", verb.name()));
            }
        }
        for (pattern, text) in self.apis.iter().zip(allow.apis.texts()) {
            if !matched.iter().any(|permission| pattern.covers(permission.api)) {
                return Err(format!(
                    "`{text}` has none of these resources with one of these verbs"
                ));
            }
        }
        self.when.as_ref().map_or(Ok(()), condition::check)?;
        let is_useless = |permission: &&Permission| permission.subject().is_none();
        match self.when.is_some() && matched.iter().all(is_useless) {
            true => Err(useless("there")),
            false => Ok(()),
        }
    }

    /// Refuses a resource that is not there, takes none of the verbs, or to which the condition cannot be applied.
    fn check_resource(
        &self,
        pattern: &ResourcePattern,
        text: &str,
        known: &[Permission],
    ) -> Result<(), String> {
        let of_api: Vec<_> = known.iter().filter(|one| self.covers_api(one.api)).collect();
        let named: Vec<_> = of_api.iter().filter(|one| pattern.matches(&one.resource)).collect();
        if named.is_empty() {
            let names = of_api.iter().map(|permission| permission.resource.as_str());
            let hint = hint(text.trim_end_matches("/*"), names);
            return Err(format!("there is no resource `{text}`{hint}"));
        }
        let mut taken = named.iter().filter(|one| self.verbs.contains(&one.verb)).peekable();
        if taken.peek().is_none() {
            return Err(format!("`{text}` takes none of these verbs"));
        }
        match self.when.is_some() && taken.all(|one| one.subject().is_none()) {
            true => Err(useless(&format!("to `{text}`"))),
            false => Ok(()),
        }
    }

    pub(super) fn matches(&self, permission: &Permission) -> bool {
        self.verbs.contains(&permission.verb)
            && self.covers_api(permission.api)
            && self.names(&permission.resource)
    }

    fn covers_api(&self, api: ApiName) -> bool {
        self.apis.iter().any(|pattern| pattern.covers(api))
    }

    fn names(&self, resource: &str) -> bool {
        self.resources.is_empty() || self.resources.iter().any(|pattern| pattern.matches(resource))
    }
}

/// Why a condition that applies nowhere is refused.
fn useless(place: &str) -> String {
    format!(
        "no condition can be applied {place}, so it would allow nothing: leave `when` out, or name other resources; \
         docs/access.md lists those with conditions"
    )
}

impl ApiPattern {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "*" => return Ok(Self::Any),
            "TMF*" => return Ok(Self::Standards),
            "orchestration" => return Ok(Self::One(ApiName::Orchestration)),
            "server" => return Ok(Self::One(ApiName::Server)),
            _ => {}
        }
        let number = text.strip_prefix("TMF").and_then(|number| number.parse().ok());
        let expected = "`TMF622`, `TMF*`, `orchestration`, `server` or `*`";
        let number = number.ok_or_else(|| format!("`{text}` is no API: expected {expected}"))?;
        Ok(Self::One(ApiName::Standard(number)))
    }

    fn covers(&self, api: ApiName) -> bool {
        match (self, api) {
            (Self::Any, _) | (Self::Standards, ApiName::Standard(_)) => true,
            (Self::Standards, ApiName::Orchestration | ApiName::Server) => false,
            (Self::One(one), api) => *one == api,
        }
    }
}

impl ResourcePattern {
    fn read(text: &str) -> Self {
        match text.strip_suffix("/*") {
            Some(above) => Self::Below(above.into()),
            None => Self::Exact(text.into()),
        }
    }

    fn matches(&self, resource: &str) -> bool {
        match self {
            Self::Exact(name) => name == resource,
            Self::Below(above) => {
                let rest = resource.strip_prefix(above.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}
