//! The sandbox against the service's own model, as botocore ships it.

use std::path::Path;

use elbws::sandbox::authority::{Authority, KeyKind};
use elbws::sandbox::control::ACTIONS;

use crate::support::sandbox::{CHAT, start};

/// Makes the Python environment: `python3 -m venv tests/.venv && tests/.venv/bin/pip install -r tests/requirements.txt`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with tests/requirements.txt in tests/.venv"]
async fn replies_are_what_the_service_model_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sandbox = start(CHAT).await;
    let now = jiff::Timestamp::now();
    let own = Authority::new(now).unwrap().issue(&["own.example".to_owned()], KeyKind::Rsa2048, now).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("server.crt"), own.certificate).unwrap();
    std::fs::write(folder.path().join("server.key"), own.key).unwrap();
    let served = ACTIONS.iter().map(|action| format!("{}:{}", action.service.signing_name(), action.name));
    let mut command = std::process::Command::new(root.join("tests/.venv/bin/python"));
    let command = command.arg(root.join("tests/python/sandbox_model.py")).args(served).envs(sandbox.environment());
    let command = command.env("CERTIFICATE_FOLDER", folder.path());
    let output = command.output().expect("tests/.venv/bin/python runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}
