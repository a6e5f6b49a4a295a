//! What a probe comes to, for a person: above the stages what is probed, below them what is wrong and what to do.

use crate::output::page::{BAD, CHANGED, FAINT, GOOD, Page, STRONG};
use crate::verify::{ClientAddress, ClientAddressIs, Diagnosis, Severity, Verdict};

/// What is probed, and where the connection goes.
pub fn verify_heading(target: &str, connect_to: Option<&str>, balancer: Option<&str>) -> String {
    let mut page = Page::default();
    page.styled(STRONG, target);
    if let Some(place) = connect_to {
        page.plain("  by ").plain(place);
    }
    if let Some(balancer) = balancer {
        page.plain("  balancer ").plain(balancer);
    }
    page.end().end();
    page.finish()
}

/// The verdict, without the stages.
pub fn verdict_text(verdict: &Verdict) -> String {
    let Verdict { proven, seen: _, client_address, diagnoses } = verdict;
    let mut page = Page::default();
    if let Some(told) = client_address {
        page.end().plain("  ").plain(&client(told)).end();
    }
    for diagnosis in diagnoses {
        page.end();
        explain(&mut page, diagnosis);
    }
    page.end();
    match proven {
        true => page.styled(GOOD, "Proven").plain(": the WebSocket works."),
        false => page.styled(BAD, "Not proven").plain(": see above."),
    };
    page.end();
    page.finish()
}

fn client(told: &ClientAddress) -> String {
    let ClientAddress { address, port, local, is } = told;
    let address = match port {
        Some(port) => std::net::SocketAddr::new(*address, *port).to_string(),
        None => address.to_string(),
    };
    let whose = match is {
        ClientAddressIs::ThisMachine => "this machine's address".to_owned(),
        ClientAddressIs::SomebodyElse => format!("not this machine's, which is {local}"),
        ClientAddressIs::Unknown => {
            format!("this machine calls itself {local}; whether they are the same cannot be seen from here")
        }
    };
    format!("The server saw the client at {address}: {whose}.")
}

fn explain(page: &mut Page, diagnosis: &Diagnosis) {
    let Diagnosis { cause: _, severity, certain, sentence, evidence, remedies } = diagnosis;
    match severity {
        Severity::Failure => page.styled(BAD, if *certain { "Broken" } else { "Broken, probably" }),
        Severity::Warning => page.styled(CHANGED, if *certain { "Warning" } else { "Warning, probably" }),
    };
    page.plain(": ").styled(STRONG, sentence).plain(".").end();
    for line in evidence {
        page.styled(FAINT, "  seen  ").plain(line).end();
    }
    for line in remedies {
        page.styled(GOOD, "  do    ").plain(line).end();
    }
}
