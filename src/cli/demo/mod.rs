//! `elbws demo`: the whole story on this machine: a WebSocket that fails, a plan, the change, and the proof.

mod nginx;
mod scene;
mod story;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::error::{CliError, Exit};
use super::stdout::write_data;
use super::{Global, signals};
use crate::output::{DemoText, demo_text};
use scene::Scene;

/// See a WebSocket fail, the balancer changed, and the WebSocket work, all on this machine
#[derive(Debug, Args)]
#[command(after_help = "\
It needs no AWS account and no network: a sandbox carries the connections, and a small \
chat stands behind it.

Examples:
  elbws demo                        the story, in a few seconds
  elbws demo --nginx                with a real nginx between, as `elbws backend nginx` says
  elbws demo --keep --ca ca.pem     then open the chat in a browser; Ctrl-C ends it")]
pub(super) struct DemoArgs {
    /// Put a real nginx between the balancer and the chat
    #[arg(long)]
    nginx: bool,
    /// Stay up when the story is told, and print the URL to open
    #[arg(long)]
    keep: bool,
    /// Write the certificate of the authority that a browser is to trust to FILE
    #[arg(long, value_name = "FILE", requires = "keep")]
    ca: Option<PathBuf>,
}

pub(super) async fn run(global: Global, args: DemoArgs) -> Result<Exit, CliError> {
    let Global { region, profile, endpoint_url, sandbox, color: _, verbose: _, quiet } = &global;
    if region.is_some() || profile.is_some() || endpoint_url.is_some() || sandbox.is_some() {
        return Err(CliError::usage(
            "the demo has a sandbox of its own: leave --region, --profile, --endpoint-url and --sandbox out",
        )
        .hint("`elbws sandbox` runs one with balancers of your choice, and carries connections as well"));
    }
    let scene = signals::interruptible(story::tell(args.nginx, *quiet)).await?;
    if args.keep {
        keep(&scene, &args).await?;
        signals::signal().await;
    }
    scene.close().await;
    Ok(Exit::Done)
}

/// Says where the chat is, and how to be believed.
async fn keep(scene: &Scene, args: &DemoArgs) -> Result<(), CliError> {
    let url = scene.url_host().await?;
    let mut text = demo_text(DemoText::Chapter { number: 7, title: "Your turn, until Ctrl-C", command: None });
    text.push_str(&demo_text(DemoText::Item("open", &format!("https://{url}/"))));
    match &args.ca {
        Some(path) => {
            let file = path.display().to_string();
            std::fs::write(path, scene.authority()).with_context(|| format!("cannot write {file}"))?;
            text.push_str(&demo_text(DemoText::Item("trust", &file)));
            let verify = format!("elbws verify wss://{url}{} --ca {file}", crate::demo::SOCKET_PATH);
            text.push_str(&demo_text(DemoText::Item("or try", &verify)));
        }
        None => text.push_str(&demo_text(DemoText::Note(
            "Your browser does not know the authority that signed its certificate: go on anyway, or trust the one that --ca FILE writes.",
        ))),
    }
    write_data(&text)?;
    Ok(())
}
