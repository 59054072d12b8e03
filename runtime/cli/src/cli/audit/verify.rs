//! `ferrule audit verify`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use engine::audit::{Hash, Verifier};

use super::source::{Found, Place, Source};
use crate::cli::{Usage, say};

#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A head that was kept elsewhere, which must be in the chain: a hash that an earlier verify printed.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

/// Verifies the chain, and prints each fault and the head.
pub(super) async fn run(Verify { place, head }: Verify) -> Result<()> {
    let kept = match head {
        Some(text) => {
            let wrong = || Usage(format!("`--head {text}` is not a hash of 64 hexadecimal digits"));
            Some(Hash::parse(&text).ok_or_else(wrong)?)
        }
        None => None,
    };
    let unreadable = || Usage("the audit cannot be read".into());
    let mut source = Source::at(place).await.with_context(unreadable)?;
    let ends = source.ends().await.with_context(unreadable)?;
    let mut verifier = match ends {
        Some(ends) => Verifier::after(ends.anchor, kept),
        None => Verifier::anywhere(kept),
    };
    loop {
        let page = source.page(ends).await.with_context(unreadable)?;
        if page.is_empty() {
            break;
        }
        for found in page {
            match found {
                Found::Entry(stored, hash) => verifier.take_line(&stored, hash),
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
    let head = ends.map_or(last, |ends| ends.head);
    let faults = findings.len() as u64 + more;
    say(&format!("{entries} entries, {faults} faults; the head is entry {}", head.sequence))?;
    say(&format!("head {}", head.hash))?;
    if faults > 0 {
        bail!("the audit has faults");
    }
    Ok(())
}
