//! `ferrule audit verify`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use engine::audit::{Hash, Verifier};
use engine::tenant::TenantName;

use super::source::{Found, Place, Source};
use crate::cli::{Usage, say};

#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A head that was kept elsewhere, which must be in the chain: a hash that an earlier verify printed. Of the chains
    /// of a store it is about the one that `--tenant` names, or that of the default tenant.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

/// Verifies the chains, and prints each fault and the heads.
pub(super) async fn run(Verify { place, head }: Verify) -> Result<()> {
    let mut kept = match head {
        Some(text) => {
            let wrong = || Usage(format!("`--head {text}` is not a hash of 64 hexadecimal digits"));
            Some(Hash::parse(&text).ok_or_else(wrong)?)
        }
        None => None,
    };
    let unreadable = || Usage("the audit cannot be read".into());
    let sources = Source::all(place).await.with_context(unreadable)?;
    let is_one = sources.len() == 1;
    let mut faults = 0;
    for (tenant, source) in sources {
        if !is_one {
            say(&named(tenant.as_ref()))?;
        }
        faults += verified(source, kept.take()).await.with_context(unreadable)?;
    }
    if faults > 0 {
        bail!("the audit has faults");
    }
    Ok(())
}

fn named(tenant: Option<&TenantName>) -> String {
    tenant.map_or_else(|| "the default tenant:".into(), |name| format!("tenant `{name}`:"))
}

/// Verifies a chain, and prints each fault and the head; returns the number of faults.
async fn verified(mut source: Source, kept: Option<Hash>) -> Result<u64> {
    let ends = source.ends().await?;
    let mut verifier = match ends {
        Some(ends) => Verifier::after(ends.anchor, kept),
        None => Verifier::anywhere(kept),
    };
    let mut first = None;
    loop {
        let page = source.page(ends).await?;
        if page.is_empty() {
            break;
        }
        for found in page {
            match found {
                Found::Entry(stored, hash) => {
                    verifier.take_line(&stored, hash);
                    first.get_or_insert_with(|| verifier.last().sequence);
                }
                Found::Other => verifier.unreadable(),
            }
        }
    }
    let (entries, last) = (verifier.entries, verifier.last());
    let (findings, more) = verifier.end(ends.map(|ends| ends.head));
    for finding in &findings {
        say(&finding.to_string())?;
    }
    if more > 0 {
        say(&format!("and {more} more"))?;
    }
    if ends.is_none() {
        match first {
            None => bail!("the file has no entry: there is nothing to verify"),
            Some(first) if first > 1 => {
                say(&format!("the file begins with entry {first}: those before are not verified"))?;
            }
            Some(_) => {}
        }
    }
    let head = ends.map_or(last, |ends| ends.head);
    let faults = findings.len() as u64 + more;
    say(&format!("{entries} entries, {faults} faults; the head is entry {}", head.sequence))?;
    say(&format!("head {}", head.hash))?;
    Ok(faults)
}
