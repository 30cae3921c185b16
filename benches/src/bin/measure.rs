//! Asks questions about a graph in files and prints the time each takes and a signature of its
//! answer, so that the same questions can be put to other tools and the answers compared.
//!
//! `measure NODES.csv EDGES.csv [QUESTIONS]`; each line of QUESTIONS is one of
//!
//! ```text
//! Q1 ID      everything that depends on the item
//! Q1r ID     what is really lost with the item, redundancy counted
//! Q2 ID      business services within three steps, with a shortest path to each
//! Q3 ID      everything the item depends on
//! Q4 ID ID   a shortest explanation of why the first depends on the second
//! Q5         strongly connected components
//! Q6 ID      the items whose failure alone fells the item
//! Q7         what each item takes down alone, of all business services
//! Q8         one relationship added, and Q1 of its dependency asked again
//! ```
//!
//! Without QUESTIONS it asks Q1, Q1r, Q2 and Q3 of the five items with most dependents and of 200
//! chosen by a fixed sequence, Q4 of 50 pairs, Q6 of 50 business services, Q5, Q7 and Q8.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use keelson_analysis::{
    Limits, Pool,
    closure::{Direction, routes, walk},
    impact::count_lost,
    path::{PathScratch, explain},
    single_points::{self, Keep, Watched, single_points, survey},
};
use keelson_benches::{Signature, csv::Graph, estate::Dice};
use keelson_graph::{Changes, ItemIx, NeedSpec, Snapshot, components};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (nodes, edges, questions) = match &arguments[..] {
        [nodes, edges] => (nodes, edges, None),
        [nodes, edges, questions] => (nodes, edges, Some(fs::read_to_string(questions)?)),
        _ => return Err("usage: measure NODES.csv EDGES.csv [QUESTIONS]".into()),
    };
    let graph = Graph::read(Path::new(nodes), Path::new(edges))?;
    let started = Clock::start();
    let snapshot = graph.build()?;
    let (wall, cpu) = started.read();
    let megabytes = snapshot.heap_bytes() / 1_000_000;
    eprintln!(
        "built {} items and {} relationships in {:.3} s ({:.3} s CPU); the graph takes {megabytes} MB",
        snapshot.items(),
        snapshot.memberships(),
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
    );
    let questions = questions.unwrap_or_else(|| usual_questions(&graph, &snapshot));
    let mut asker = Asker { graph: &graph, snapshot: &snapshot, pool: Pool::new(), path: PathScratch::default() };
    println!("question\tcount\tsum\txor\tmicroseconds\tcpu_microseconds");
    for question in questions.lines().filter(|line| !line.trim().is_empty()) {
        let measured = asker.measure(&Question::read(question)?)?;
        println!("{question}\t{}\t{:.2}\t{:.2}", measured.answer, measured.wall, measured.cpu);
    }
    Ok(())
}

fn usual_questions(graph: &Graph, snapshot: &Snapshot) -> String {
    let mut hubs: Vec<ItemIx> = snapshot.item_numbers().collect();
    hubs.sort_by_key(|item| std::cmp::Reverse(snapshot.owners(*item).len()));
    let mut dice = Dice::new(7);
    let slots = u32::try_from(snapshot.slots()).unwrap_or(u32::MAX);
    let mut any = || dice.below(slots);
    let items: Vec<u32> = hubs.iter().take(5).map(|item| item.0).chain((0..200).map(|_| any())).collect();
    let mut questions = String::new();
    for question in ["Q1", "Q1r", "Q2", "Q3"] {
        for item in &items {
            questions += &format!("{question} {item}\n");
        }
    }
    for hub in hubs.iter().take(50) {
        questions += &format!("Q4 {} {}\n", any(), hub.0);
    }
    for service in services(graph, snapshot).take(50) {
        questions += &format!("Q6 {}\n", service.0);
    }
    questions + "Q5\nQ7\nQ8\n"
}

fn services<'a>(graph: &'a Graph, snapshot: &'a Snapshot) -> impl Iterator<Item = ItemIx> + 'a {
    snapshot.item_numbers().filter(|item| graph.classes[item.index()] == "business_service")
}

/// A question, read before the clock starts.
enum Question {
    Walk(ItemIx, Direction),
    Lost(ItemIx),
    Services(ItemIx),
    Explain(ItemIx, ItemIx),
    Cycles,
    Points(ItemIx),
    Felling,
    Added,
}

impl Question {
    fn read(line: &str) -> Result<Self, Box<dyn Error>> {
        let mut words = line.split_whitespace();
        let kind = words.next().unwrap_or_default();
        let mut item = || -> Result<ItemIx, Box<dyn Error>> {
            let number = words.next().ok_or_else(|| format!("{line:?} lacks an item"))?.parse()?;
            Ok(ItemIx(number))
        };
        Ok(match kind {
            "Q1" => Self::Walk(item()?, Direction::Dependents),
            "Q1r" => Self::Lost(item()?),
            "Q2" => Self::Services(item()?),
            "Q3" => Self::Walk(item()?, Direction::Dependencies),
            "Q4" => Self::Explain(item()?, item()?),
            "Q5" => Self::Cycles,
            "Q6" => Self::Points(item()?),
            "Q7" => Self::Felling,
            "Q8" => Self::Added,
            other => return Err(format!("unknown question {other:?}").into()),
        })
    }
}

struct Asker<'a> {
    graph: &'a Graph,
    snapshot: &'a Snapshot,
    pool: Pool,
    path: PathScratch,
}

/// An answer, and what one asking costs in microseconds: the median by the clock, the mean by CPU.
struct Measured {
    answer: Signature,
    wall: f64,
    cpu: f64,
}

impl Asker<'_> {
    /// Asks until a tenth of a second is spent, at least three times and at most a thousand.
    fn measure(&mut self, question: &Question) -> Result<Measured, Box<dyn Error>> {
        let answer = self.ask(question)?;
        let whole = Clock::start();
        let mut times = Vec::new();
        while times.len() < 3 || (times.len() < 1_000 && whole.started.elapsed() < Duration::from_millis(100)) {
            let started = Instant::now();
            black_box(self.ask(question)?);
            times.push(started.elapsed());
        }
        let (_, cpu) = whole.read();
        times.sort_unstable();
        let asked = u32::try_from(times.len())?;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        Ok(Measured { answer, wall: micros(times[times.len() / 2]), cpu: micros(cpu / asked) })
    }

    fn ask(&mut self, question: &Question) -> Result<Signature, Box<dyn Error>> {
        let unlimited = Limits::default();
        Ok(match *question {
            Question::Walk(item, direction) => self.walked(self.snapshot, item, direction),
            Question::Lost(item) => {
                let mut scratch = self.pool.lease();
                count_lost(self.snapshot, &[item], &mut scratch).ok_or("a need shares a load")?;
                scratch.met().skip(1).collect()
            }
            Question::Services(item) => {
                let limits = Limits { max_depth: 3, ..unlimited };
                let is_service = |item: ItemIx| self.graph.classes[item.index()] == "business_service";
                let found = routes(self.snapshot, item, Direction::Dependents, is_service, &limits, &self.pool)?;
                found.routes.iter().map(|route| route.target).collect()
            }
            Question::Explain(from, to) => {
                let found = explain(self.snapshot, from, to, &unlimited, &mut self.path)?;
                // Shortest explanations differ between tools; their lengths do not.
                Signature { count: found.steps.len() as u64, ..Signature::default() }
            }
            Question::Cycles => {
                let found = components(self.snapshot);
                Signature { count: found.len() as u64, ..found.cycles().flatten().copied().collect() }
            }
            Question::Points(item) => {
                let found = single_points(self.snapshot, item, &single_points::Question::default(), &[])?;
                found.items.into_iter().collect()
            }
            Question::Felling => {
                let watched: Vec<Watched> =
                    services(self.graph, self.snapshot).map(|item| Watched { item, value: 1.0 }).collect();
                let question = single_points::Question::default();
                let found = survey(self.snapshot, &watched, Keep::Felling, &question, &[])?;
                found.felling.iter().map(|felling| felling.item).collect()
            }
            Question::Added => self.added()?,
        })
    }

    fn walked(&self, snapshot: &Snapshot, item: ItemIx, direction: Direction) -> Signature {
        let mut scratch = self.pool.lease();
        walk(snapshot, &mut scratch, &[item], direction, &Limits::default());
        scratch.met().skip(1).collect()
    }

    /// Makes the first item need the last one, and asks what depends on the last one.
    fn added(&self) -> Result<Signature, Box<dyn Error>> {
        let (first, last) = (ItemIx(0), ItemIx::of(self.snapshot.slots() - 1));
        let mut needs: Vec<NeedSpec> = self.snapshot.needs(first).map(|need| need.to_spec()).collect();
        needs.push(NeedSpec::plain(first, last, u64::MAX));
        let mut changes = Changes::new();
        changes.replace_needs(first, needs);
        let next = self.snapshot.with_changes(changes)?;
        Ok(self.walked(&next, last, Direction::Dependents))
    }
}

/// Wall time and the CPU time of this thread.
struct Clock {
    started: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: cpu_time(), started: Instant::now() }
    }

    fn read(&self) -> (Duration, Duration) {
        (self.started.elapsed(), cpu_time().saturating_sub(self.cpu))
    }
}

/// The CPU time this thread has used, from the scheduler's own account; zero where there is none.
fn cpu_time() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = account.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
