//! The story: each part says what it shows, does it, and checks that it went as it should.

use std::time::Instant;

use super::super::engine::{PlanFormat, RunArgs, RunFormat, make_plans, run_all, show_plans};
use super::super::error::CliError;
use super::super::stdout::write_data;
use super::scene::{BALANCER, HOST, Scene};
use crate::demo::SOCKET_PATH;
use crate::output::{DemoText, demo_text, stage_text, verdict_text};
use crate::plan::Plan;
use crate::spec::Spec;
use crate::verify::{ClientAddressIs, Stage, Verdict};

/// Tells it, and leaves everything running.
pub(super) async fn tell(with_nginx: bool, quiet: bool) -> Result<Scene, CliError> {
    let begun = Instant::now();
    say(DemoText::Title("A WebSocket behind a Classic Load Balancer, on this machine: no AWS account, no network."))?;
    let mut scene = Scene::set(with_nginx).await?;
    introduce(&scene, with_nginx).await?;
    fail(&scene).await?;
    let plan = make_plan(&scene).await?;
    prepare(&mut scene, &plan, with_nginx).await?;
    change(&scene, plan, quiet).await?;
    let seen = succeed(&scene).await?;
    let seconds = begun.elapsed().as_secs_f32();
    say(DemoText::End(&format!(
        "Failed, planned, applied and proven in {seconds:.1} s. The application knows its client: {seen}."
    )))?;
    Ok(scene)
}

async fn introduce(scene: &Scene, with_nginx: bool) -> Result<(), CliError> {
    chapter(1, "A chat behind an HTTPS listener", Some(format!("elbws show --elb {BALANCER}")))?;
    say(DemoText::Picture(&scene.balancer().await?))?;
    let server = if with_nginx { "a real nginx, and behind it a small chat" } else { "a small chat" };
    say(DemoText::Note(&format!("Instance port 80 is {server}. Both instances are in service.")))
}

async fn fail(scene: &Scene) -> Result<(), CliError> {
    chapter(2, "A client connects, and fails", Some(verify()))?;
    let verdict = scene.connect().await?;
    show(&verdict)?;
    match verdict.seen.failed() {
        Some(Stage::Upgrade) => Ok(()),
        _ => Err(otherwise("the WebSocket should have failed at its upgrade, since an HTTPS listener does not pass it on")),
    }
}

async fn make_plan(scene: &Scene) -> Result<Plan, CliError> {
    chapter(3, "What has to change", Some(format!("elbws plan --elb {BALANCER}")))?;
    let plans = make_plans(&scene.connection, vec![(BALANCER.to_owned(), Spec::websocket())]).await?;
    show_plans(&scene.connection, &plans, PlanFormat::Text)?;
    plans.into_iter().next().ok_or_else(|| otherwise("there should have been a plan"))
}

async fn prepare(scene: &mut Scene, plan: &Plan, with_nginx: bool) -> Result<(), CliError> {
    let command = format!("elbws backend nginx --elb {BALANCER} --app {} > site.conf && nginx -s reload", scene.chat());
    chapter(4, "First the web server: it must expect the PROXY header", with_nginx.then_some(command))?;
    scene.expect_proxy_protocol(&plan.after).await?;
    say(DemoText::Note(match with_nginx {
        true => "nginx has loaded the configuration that fits the balancer after the change.",
        false => "The chat reads the header itself; `elbws demo --nginx` shows it with a web server between.",
    }))?;
    say(DemoText::Note(
        "Requests fail from here to the end of the next step; `elbws backend nginx --cut-over PORT` avoids that.",
    ))
}

async fn change(scene: &Scene, plan: Plan, quiet: bool) -> Result<(), CliError> {
    chapter(5, "Then the balancer", Some(format!("elbws apply --elb {BALANCER}")))?;
    let args = RunArgs { dry_run: false, yes: true, no_interrupt: false, retry_for: 10, format: RunFormat::Text };
    let stages = plan.stages.clone();
    run_all(&scene.connection, vec![(plan, stages)], &args, true, quiet).await?;
    scene.get_into_service().await?;
    say(DemoText::Picture(&scene.balancer().await?))
}

/// The address of the client, as the application saw it.
async fn succeed(scene: &Scene) -> Result<String, CliError> {
    chapter(6, "The same client connects, and chats", Some(verify()))?;
    let verdict = scene.connect().await?;
    show(&verdict)?;
    if !verdict.proven {
        return Err(otherwise("the WebSocket should have worked"));
    }
    client_address(&verdict).ok_or_else(|| otherwise("the application should have seen the client's own address"))
}

fn client_address(verdict: &Verdict) -> Option<String> {
    let seen = verdict.client_address.as_ref().filter(|seen| seen.is != ClientAddressIs::SomebodyElse)?;
    Some(match seen.port {
        Some(port) => std::net::SocketAddr::new(seen.address, port).to_string(),
        None => seen.address.to_string(),
    })
}

/// What `elbws verify` prints.
fn show(verdict: &Verdict) -> Result<(), CliError> {
    let mut text: String = verdict.seen.stages.iter().map(stage_text).collect();
    text.push_str(&verdict_text(verdict));
    Ok(write_data(&text)?)
}

/// The command that connects as the demo does.
fn verify() -> String {
    format!("elbws verify wss://{HOST}{SOCKET_PATH} --elb {BALANCER}")
}

fn chapter(number: u8, title: &str, command: Option<String>) -> Result<(), CliError> {
    say(DemoText::Chapter { number, title, command: command.as_deref() })
}

fn say(text: DemoText<'_>) -> Result<(), CliError> {
    Ok(write_data(&demo_text(text))?)
}

/// The story has gone another way.
fn otherwise(what: &str) -> CliError {
    CliError::failed(format!("the demo did not go as it should: {what}"))
        .hint("-v shows the calls; please report what you see")
}
