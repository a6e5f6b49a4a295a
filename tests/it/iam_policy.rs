//! The least IAM policy: every command works under it on moto with its enforcement on, and no action of it can be left out.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_elasticloadbalancing::config::Credentials;
use aws_sdk_elasticloadbalancing::primitives::Blob;
use aws_sdk_elasticloadbalancing::types::HealthCheck;
use serde_json::Value;

use crate::support::moto::Moto;
use crate::support::sandbox::listener;
use crate::support::story::Story;

/// The program with nothing in its environment but what is given: status, stdout, stderr.
fn elbws(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_elbws")).env_clear().envs(environment.iter().copied()).args(arguments).output();
    let output = output.expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn policy(arguments: &[&str], environment: &[(&str, &str)]) -> Value {
    let (status, stdout, stderr) = elbws(&[&["iam-policy", "--quiet"], arguments].concat(), environment);
    assert_eq!((status, stderr.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&stdout).expect("JSON")
}

/// The actions that a policy allows.
fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().expect("a list").iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().expect("a list"));
    actions.map(|action| action.as_str().expect("a name").to_owned()).collect()
}

/// What a policy says of the statement with this id.
fn resources(policy: &Value, sid: &str) -> Value {
    let mut statements = policy["Statement"].as_array().expect("a list").iter();
    statements.find(|statement| statement["Sid"] == sid).map(|statement| statement["Resource"].clone()).unwrap_or_default()
}

#[test]
fn a_policy_is_printed_without_account_or_network() {
    let apply = policy(&["--for", "apply"], &[]);
    assert_eq!(apply["Version"], "2012-10-17");
    assert_eq!(resources(&apply, "Read"), serde_json::json!(["*"]));
    let all = serde_json::json!(["arn:aws:elasticloadbalancing:*:*:loadbalancer/*"]);
    assert_eq!(resources(&apply, "ChangeLoadBalancers"), all);
    let (_, _, stderr) = elbws(&["iam-policy", "--for", "apply"], &[]);
    assert!(stderr.contains("warning:") && stderr.contains("--elb"), "{stderr}");

    let named = ["--for", "apply", "--elb", "chat", "--elb", "mail", "--elb", "chat", "--account", "123456789012"];
    let apply = policy(&named, &[("AWS_REGION", "cn-north-1")]);
    let arn = |service: &str, place: &str, rest: &str| format!("arn:aws-cn:{service}:{place}:123456789012:{rest}");
    let balancers = ["chat", "mail"].map(|name| arn("elasticloadbalancing", "cn-north-1", &format!("loadbalancer/{name}")));
    assert_eq!(resources(&apply, "ChangeLoadBalancers"), serde_json::json!(balancers));
    let acm = [arn("acm", "cn-north-1", "certificate/*")];
    assert_eq!(resources(&apply, "LookUpAcmCertificates"), serde_json::json!(acm));
    assert_eq!(resources(&apply, "LookUpServerCertificates"), serde_json::json!([arn("iam", "", "server-certificate/*")]));

    let by_environment = policy(&["--for", "apply"], &[("ELB_NAME", "chat")]);
    assert_eq!(by_environment, policy(&["--for", "apply", "--elb", "chat"], &[]));
    let plan = policy(&["--for", "plan", "--elb", "chat"], &[]);
    assert!(actions(&plan).iter().all(|action| action.contains(":Describe") || action.contains(":Get")), "{plan}");
    assert_eq!(resources(&plan, "ChangeLoadBalancers"), Value::Null);
}

#[test]
fn a_policy_that_cannot_be_is_refused() {
    for (arguments, says) in [
        (&["--for", "destroy"][..], "possible values: plan, apply, audit"),
        (&[], "--for"),
        (&["--for", "plan", "--elb", "a_b"], "letters, digits and hyphens"),
        (&["--for", "plan", "--account", "12"], "twelve digits"),
        (&["--for", "plan", "--partition", "aws:*"], "small letters"),
        (&["--for", "plan", "--region", "eu west"], "the region `eu west` is not made of"),
    ] {
        let (status, stdout, stderr) = elbws(&[&["iam-policy"], arguments].concat(), &[]);
        assert_eq!((status, stdout.as_str()), (64, ""), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
    let many: Vec<String> = (0..100).map(|number| format!("--elb=balancer-{number}")).collect();
    let many: Vec<&str> =
        [&["iam-policy", "--for", "apply"][..], &many.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let (status, _, stderr) = elbws(&many, &[]);
    assert!(status == 0 && stderr.contains("IAM takes 6144"), "{stderr}");
}

/// Commands of one purpose that together make every call it can make, on a balancer with the listeners of the seed story.
fn commands<'a>(purpose: &str, balancer: &'a str, [iam, acm, file]: [&'a str; 3]) -> Vec<Vec<&'a str>> {
    let replaced_with = |command: &'a str, instance: &'a str, certificate: &'a str| match command {
        "plan" => vec!["plan", "--elb", balancer, "--listener", instance, "--certificate", certificate],
        _ => vec!["listener", "--elb", balancer, instance, "--certificate", certificate],
    };
    match purpose {
        "plan" => vec![
            vec!["show", "--elb", balancer],
            vec!["plan", "--elb", balancer, "--out", file],
            replaced_with("plan", "SSL:443/TCP:81", iam),
            replaced_with("plan", "SSL:443/TCP:81", acm),
        ],
        "apply" => vec![
            vec!["apply", "--elb", balancer, "--idle-timeout", "120", "--ssl-policy", "ELBSecurityPolicy-TLS-1-2-2017-01"],
            replaced_with("listener", "SSL:443/TCP:81", iam),
            replaced_with("listener", "SSL:443/TCP:80", acm),
            vec!["certificate", "--elb", balancer, iam],
            vec!["proxy-protocol", "disable", "--elb", balancer],
        ],
        "audit" => vec![
            vec!["audit", "--elb", balancer],
            vec!["audit", "--all-regions"],
            vec!["backend", "nginx", "--elb", balancer],
        ],
        other => panic!("no commands for {other}"),
    }
}

/// Every call that the binary makes is in the policy of its purpose, and every action in the policy is called or is one that
/// the service asks for.
#[test]
fn a_policy_holds_what_is_called_and_nothing_else() {
    for purpose in ["plan", "apply", "audit"] {
        let more = "[[certificates]]\nname = \"next\"\nstore = \"iam\"\ndomain = \"chat.example.com\"\n\n\
                    [[certificates]]\nname = \"other\"\nstore = \"acm\"\ndomain = \"chat.example.com\"\n\n[[instances]]";
        let https = "{ protocol = \"HTTPS\", load_balancer_port = 443, instance_protocol = \"HTTP\", instance_port = 80, \
                     certificate = \"chat\" }";
        let seed = include_str!("../../fixtures/chat.toml").replacen("[[instances]]", more, 1);
        let mut seed = seed.replace("\"HTTPS:443/HTTP:80\"", https);
        if purpose == "audit" {
            seed.push_str(&format!(
                "[[balancers]]\nname = \"mail\"\nlisteners = [{}]\n",
                https.replace("\"chat\"", "\"next\"")
            ));
        }
        let story = Story::with(&seed);
        let world = story.sandbox.world();
        let used = crate::support::sandbox::certificate(&story.sandbox);
        let acm = world.regions["eu-west-1"].certificates.keys().find(|arn| **arn != used).expect("the seed has another");
        let iam = "arn:aws:iam::123456789012:server-certificate/next";
        story.counts();
        for command in commands(purpose, "chat", [iam, acm, "chat.plan"]) {
            story.elbws(&command).exits(0);
        }
        let called =
            story.sandbox.log().into_iter().filter_map(|entry| Some(format!("{}:{}", entry.service?, entry.action?)));
        let mut called: BTreeSet<String> = called.collect();
        // Everybody may call this one.
        called.remove("sts:GetCallerIdentity");
        // The service looks at the groups of the balancers that it describes, and at the instances whose health it tells.
        called.insert("ec2:DescribeSecurityGroups".to_owned());
        if called.contains("elasticloadbalancing:DescribeInstanceHealth") {
            called.insert("ec2:DescribeClassicLinkInstances".to_owned());
        }
        assert_eq!(called, actions(&policy(&["--for", purpose], &[])), "{purpose}");
    }
}

/// moto with a balancer for every name, a certificate in IAM, one in ACM, and a folder for files.
struct Guarded {
    moto: Moto,
    iam: String,
    acm: String,
    folder: tempfile::TempDir,
}

impl Guarded {
    async fn start(balancers: &[String]) -> Self {
        let moto = Moto::start();
        let config = config(&moto).await;
        let key = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).unwrap();
        let (body, private_key) = (key.cert.pem(), key.signing_key.serialize_pem());
        let upload = aws_sdk_iam::Client::new(&config).upload_server_certificate().server_certificate_name("next");
        let uploaded = upload.certificate_body(&body).private_key(&private_key).send().await.unwrap();
        let iam = uploaded.server_certificate_metadata().unwrap().arn().to_owned();
        let import = aws_sdk_acm::Client::new(&config).import_certificate().certificate(Blob::new(body));
        let imported = import.private_key(Blob::new(private_key)).send().await.unwrap();
        let acm = imported.certificate_arn().unwrap().to_owned();
        let elb = aws_sdk_elasticloadbalancing::Client::new(&config);
        for name in balancers {
            let first = "arn:aws:iam::123456789012:server-certificate/first";
            let create = elb.create_load_balancer().load_balancer_name(name).availability_zones("eu-west-1a");
            let create = create.listeners(listener("HTTPS:443/HTTP:80", Some(first)));
            create.listeners(listener("HTTP:80/HTTP:80", None)).send().await.unwrap();
            let check = HealthCheck::builder().target("HTTP:80/status").interval(30).timeout(5);
            let check = check.unhealthy_threshold(2).healthy_threshold(10).build().unwrap();
            elb.configure_health_check().load_balancer_name(name).health_check(check).send().await.unwrap();
        }
        Guarded { moto, iam, acm, folder: tempfile::tempdir().unwrap() }
    }

    /// Runs the commands under a policy until one fails: its status and everything that was said.
    fn run(&self, policy: &Value, commands: &[Vec<&str>]) -> (i32, String) {
        let keys = self.moto.control("PUT", "/_policy", &policy.to_string());
        let (id, secret) = keys.split_once(' ').expect("two keys");
        let mut said = String::new();
        for command in commands {
            let keys = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
            let (status, stdout, stderr) = self.moto.run_with(Path::new(env!("CARGO_BIN_EXE_elbws")), command, &keys);
            said.push_str(&stdout);
            said.push_str(&stderr);
            if status != 0 {
                return (status, said);
            }
        }
        (0, said)
    }

    /// A balancer with all that an audit reads: certificates of both stores, a policy, an instance, a group, a subnet.
    async fn add_audited(&self) {
        let config = config(&self.moto).await;
        let (ec2, elb) = (aws_sdk_ec2::Client::new(&config), aws_sdk_elasticloadbalancing::Client::new(&config));
        let subnets = ec2.describe_subnets().send().await.unwrap();
        let subnet = subnets.subnets()[0].subnet_id().unwrap();
        let groups = ec2.describe_security_groups().send().await.unwrap();
        let group = groups.security_groups()[0].group_id().unwrap();
        let image = ec2.describe_images().send().await.unwrap().images()[0].image_id().unwrap().to_owned();
        let run = ec2.run_instances().image_id(image).min_count(1).max_count(1).subnet_id(subnet);
        let instance = run.send().await.unwrap().instances()[0].instance_id().unwrap().to_owned();
        let create = elb.create_load_balancer().load_balancer_name("audited").subnets(subnet).security_groups(group);
        let create = create.listeners(listener("SSL:443/TCP:80", Some(&self.iam)));
        create.listeners(listener("SSL:8443/TCP:80", Some(&self.acm))).send().await.unwrap();
        let create = elb.create_load_balancer_policy().load_balancer_name("audited").policy_name("sticky");
        let create = create.policy_type_name("LBCookieStickinessPolicyType");
        create.send().await.unwrap();
        let register = elb.register_instances_with_load_balancer().load_balancer_name("audited");
        let instance = aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(instance).build();
        register.instances(instance).send().await.unwrap();
    }

    fn commands<'a>(&'a self, purpose: &str, balancer: &'a str, file: &'a str) -> Vec<Vec<&'a str>> {
        commands(purpose, balancer, [&self.iam, &self.acm, file])
    }
}

async fn config(moto: &Moto) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&moto.endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

/// The policy without one action.
fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().expect("a list") {
        statement["Action"].as_array_mut().expect("a list").retain(|listed| listed != action);
    }
    // A statement without actions is no statement.
    policy["Statement"].as_array_mut().expect("a list").retain(|statement| statement["Action"] != serde_json::json!([]));
    policy
}

async fn nothing_can_be_left_out(purpose: &str) {
    let least = |balancer: &str| {
        let place = [("AWS_REGION", "eu-west-1")];
        policy(&["--for", purpose, "--elb", balancer, "--account", "123456789012"], &place)
    };
    let actions: Vec<String> = actions(&least("whole")).into_iter().collect();
    let names: Vec<String> = (0..actions.len()).map(|number| format!("chat-{number}")).collect();
    let guarded = Guarded::start(&[&names[..], &["whole".to_owned()]].concat()).await;
    let file = guarded.folder.path().join("chat.plan");
    let file = file.to_str().unwrap();

    let (status, said) = guarded.run(&least("whole"), &guarded.commands(purpose, "whole", file));
    assert_eq!(status, 0, "{said}");
    for (name, action) in names.iter().zip(&actions) {
        let (status, said) = guarded.run(&without(&least(name), action), &guarded.commands(purpose, name, file));
        assert!([1, 3].contains(&status), "without {action}: exit {status}: {said}");
        assert!(said.contains(&format!("allow the action {action} in")), "without {action}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn nothing_can_be_left_out_of_the_policy_for_plan() {
    nothing_can_be_left_out("plan").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn nothing_can_be_left_out_of_the_policy_for_apply() {
    nothing_can_be_left_out("apply").await;
}

/// An audit goes on without what it may not read: it says which rules that leaves unchecked, and which action is missing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn nothing_can_be_left_out_of_the_policy_for_audit() {
    let guarded = Guarded::start(&[]).await;
    guarded.add_audited().await;
    let place = [("AWS_REGION", "eu-west-1")];
    let least = policy(&["--for", "audit", "--account", "123456789012"], &place);
    let commands = guarded.commands("audit", "audited", "");
    let (status, said) = guarded.run(&least, &commands);
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("Not checked") && !said.contains("not authorized"), "{said}");
    // Regions are looked for only where all are meant, and on moto that takes its time.
    let all_regions = |command: &&Vec<&str>| command.contains(&"--all-regions");
    let elsewhere: Vec<_> = commands.iter().filter(all_regions).cloned().collect();
    let here: Vec<_> = commands.iter().filter(|command| !all_regions(command)).cloned().collect();
    for action in actions(&least) {
        let commands = if action == "ec2:DescribeRegions" { &elsewhere } else { &here };
        let (status, said) = guarded.run(&without(&least, &action), commands);
        assert!(status == 1 || said.contains("Not checked"), "without {action}: exit {status}: {said}");
        assert!(said.contains(&action), "without {action}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn a_policy_reaches_no_further_than_its_balancers() {
    let names = ["chat".to_owned(), "mail".to_owned()];
    let guarded = Guarded::start(&names).await;
    let least = policy(&["--for", "apply", "--elb", "chat"], &[]);
    guarded.moto.calls();
    let (status, said) = guarded.run(&least, &[vec!["apply", "--elb", "mail"]]);
    assert!(status == 1 && said.contains("loadbalancer/mail"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    let (status, said) = guarded.run(&least, &[vec!["apply", "--elb", "chat"]]);
    assert_eq!(status, 0, "{said}");
    let elsewhere = policy(&["--for", "apply", "--elb", "mail", "--region", "us-east-1"], &[]);
    let (status, said) = guarded.run(&elsewhere, &[vec!["apply", "--elb", "mail"]]);
    assert!(status == 1 && said.contains("not authorized"), "{said}");
}
