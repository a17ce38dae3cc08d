//! A gateway that reaches its nodes over sockets only, as gateways of other processes do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use covenant_api::QueryState;
use covenant_app::Nodes;
use covenant_app::port::{Consortium as _, NodePort, NodePulse, PortError, Progress, RecordKind};
use covenant_canon::SuiteId;
use covenant_client::{Client, ClientConfig, Ground, Question};
use covenant_daemon::rpc::{PeerStream, RemoteNode, by_role, serve as answer_calls};
use covenant_daemon::{LocalNode, Node};
use covenant_demo::city::City;
use covenant_demo::{Consortium, port};
use covenant_domain::*;
use covenant_journeys::{dataset, fields, now_ms, running_city, until};
use covenant_ledger::verify_bundle;
use covenant_server::{Running, ServerConfig, serve};
use futures::StreamExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const LICENCES: &str = "market-regulation/licensing/licences";
const GATEWAY: &str = "data-platform";

/// A node's socket.
struct Door {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Door {
    /// Answers calls, every one as if it came from this member.
    async fn open(node: &Arc<Node>, caller: &str, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let caller = MemberId::new(caller).unwrap();
        let incoming = futures::stream::unfold((listener, caller), |(listener, caller)| async move {
            let accepted = listener.accept().await.and_then(|(io, _)| {
                io.set_nodelay(true)?;
                Ok(PeerStream { member: caller.clone(), io })
            });
            Some((accepted, (listener, caller)))
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let port = Arc::new(LocalNode::new(node.clone()));
        let may_call = by_role(node);
        let shutdown = async { drop(stopped.await) };
        let task = tokio::spawn(async move { answer_calls(port, incoming.boxed(), may_call, shutdown).await });
        Self { address, stop, task }
    }

    async fn close(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }
}

fn remote(member: &MemberId, address: SocketAddr) -> Arc<RemoteNode> {
    Arc::new(RemoteNode::new(member.clone(), move || async move {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }))
}

struct World {
    city: City,
    consortium: Consortium,
    doors: BTreeMap<MemberId, Door>,
    nodes: BTreeMap<MemberId, Arc<RemoteNode>>,
    port: Arc<Nodes>,
    gateway: Running,
    _stop: oneshot::Sender<()>,
}

impl World {
    async fn open(dir: &std::path::Path) -> Self {
        let city = City::generate(7, 60, 20);
        let consortium = running_city(dir, SuiteId::Sm, &city, |_| {}).await;
        let (mut doors, mut nodes) = (BTreeMap::new(), BTreeMap::new());
        for node in &consortium.nodes {
            let door = Door::open(node, GATEWAY, ([127, 0, 0, 1], 0).into()).await;
            nodes.insert(node.member().clone(), remote(node.member(), door.address));
            doors.insert(node.member().clone(), door);
        }
        let ports = nodes.iter().map(|(id, node)| (id.clone(), node.clone() as Arc<dyn NodePort>)).collect();
        let port = Arc::new(Nodes::new(consortium.founding.genesis.clone(), ports));
        let (stop, stopped) = oneshot::channel::<()>();
        let config = ServerConfig::at(([127, 0, 0, 1], 0).into());
        let gateway = serve(config, port.clone(), async { drop(stopped.await) }).await.unwrap();
        Self { city, consortium, doors, nodes, port, gateway, _stop: stop }
    }

    async fn bank(&self) -> Client {
        let identity = Arc::new(self.consortium.founding.identity("bank").unwrap());
        let trust = (*self.consortium.founding.genesis).clone();
        let config = ClientConfig { patience: Duration::from_secs(20), ..ClientConfig::default() };
        Client::connect_with(&self.gateway.base_url(), identity, trust, config).await.unwrap()
    }

    fn question(&self, company: usize) -> Question {
        Question {
            dataset: dataset(LICENCES),
            purpose: PurposeCode::new("account-opening").unwrap(),
            mode: Mode::Detail,
            fields: fields(&["company_name", "status"]),
            subject: Subject::Company(self.city.companies[company].code.clone()),
            ground: Ground::Legal { case: Some("K-1".into()) },
            claims: vec![],
        }
    }

    fn node(&self, member: &MemberId) -> Arc<Node> {
        self.consortium.nodes.iter().find(|n| n.member() == member).unwrap().clone()
    }

    async fn close(&mut self, member: &MemberId) -> SocketAddr {
        let door = self.doors.remove(member).unwrap();
        let address = door.address;
        door.close().await;
        address
    }

    async fn open_again(&mut self, member: &MemberId, address: SocketAddr) {
        self.doors.insert(member.clone(), Door::open(&self.node(member), GATEWAY, address).await);
        until("the node is found again", async || self.nodes[member].is_running().then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_over_sockets_answers_and_gets_over_a_node_that_goes() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::open(dir.path()).await;
    let bank = world.bank().await;
    let answered = async |world: &World, company: usize| {
        let reply = bank.ask(world.question(company)).await.unwrap();
        assert_eq!(reply.state, QueryState::Answered);
        let evidence = bank.evidence(&reply.intent).await.unwrap();
        assert!(verify_bundle(&evidence, &world.consortium.founding.genesis).verified);
    };
    answered(&world, 0).await;
    let near = port(&world.consortium.founding.genesis, &world.consortium.nodes);
    assert_eq!(world.port.catalogue(None).await, near.catalogue(None).await);
    assert_eq!(world.port.records(RecordKind::RuleBooks).await, near.records(RecordKind::RuleBooks).await);
    assert!(world.port.health().await.unwrap().iter().all(|node| node.sound));

    // The home node: the next one stands in, also for who waits already.
    let home = world.nodes.keys().next().unwrap().clone();
    let waiting = tokio::spawn({
        let (port, unknown) = (world.port.clone(), IntentId::from_parts(now_ms(), &[1; 10]));
        async move { port.progress(&[unknown], Duration::from_secs(2)).await }
    });
    let address = world.close(&home).await;
    assert_eq!(waiting.await.unwrap(), Ok(vec![Progress::Unknown]));
    answered(&world, 1).await;
    let health = world.port.health().await.unwrap();
    assert_eq!(health.iter().filter(|node| !node.sound).map(|node| &node.member).collect::<Vec<_>>(), [&home]);
    world.open_again(&home, address).await;
    answered(&world, 2).await;

    // The holder: nothing is debited for what it cannot answer, and it is named.
    let holder = MemberId::new("market-regulation").unwrap();
    let address = world.close(&holder).await;
    let away = world.port.build_state(&dataset(LICENCES)).await.unwrap_err();
    assert!(matches!(&away, PortError::Unavailable { reason } if reason.contains("`market-regulation`")), "{away}");
    world.open_again(&holder, address).await;
    answered(&world, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_answer_gateways_and_their_own_member_alone() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::generate(7, 10, 5);
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    let node = consortium.nodes.iter().find(|n| n.member().as_str() == "tax").unwrap();
    for (caller, allowed) in [(GATEWAY, true), ("tax", true), ("housing", false), ("bank", false), ("nobody", false)] {
        let door = Door::open(node, caller, ([127, 0, 0, 1], 0).into()).await;
        let remote = remote(node.member(), door.address);
        match remote.tip().await {
            Ok(_) => assert!(allowed, "`{caller}` was answered"),
            Err(PortError::Refused { code, .. }) => assert!(!allowed && code == "caller-not-allowed", "{caller}"),
            Err(other) => panic!("{other}"),
        }
        door.close().await;
    }
    consortium.stop().await;
}
