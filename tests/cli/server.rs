//! A running `weft serve` with the smallest model, and a way to ask it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use weft_shared::{
    api::{
        job::{Job, JobEvent, JobEventKind, SampleAnswer},
        model::ModelInfo,
    },
    pair::Pair,
};

use crate::weft::{PAIRS, mini, text, weft};

/// Killed when dropped.
pub(crate) struct Server {
    program: Child,
    url: String,
}

impl Server {
    /// Starts on this data folder and a free port.
    pub(crate) fn start(data: &Path) -> Self {
        let (model, data) = (mini(), text(data));
        let mut program = weft(&["serve", "--port", "0", "--model", &model, "--data-dir", &data])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Weft is at ").unwrap().trim_end_matches('/');
        Self { program, url: url.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("{}{path}", self.url)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    pub(crate) fn get_json<T: DeserializeOwned>(&self, path: &str) -> T {
        serde_json::from_str(&self.get(path)).unwrap()
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        let request = ureq::post(format!("{}{path}", self.url));
        let mut answer =
            request.header("content-type", "application/json").send(body.to_string()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Adds the three pairs and starts a run over them.
    pub(crate) fn start_job(&self, max_steps: usize) -> Job {
        let pairs: Vec<Pair> =
            PAIRS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        self.post::<Value>("/api/datasets", &json!({ "name": "mine", "pairs": pairs }));
        let model: ModelInfo = self.get_json("/api/model");
        let mut options = serde_json::to_value(model.recommended.options).unwrap();
        for (name, value) in [
            ("max_steps", json!(max_steps)),
            ("save_steps", json!(20)),
            ("learning_rate", json!(0.01)),
            ("eval_share", json!(0.3)),
        ] {
            options[name] = value;
        }
        let encoding = model.recommended.encoding;
        let new = json!({
            "name": "run", "dataset": 1, "encoding": encoding, "options": options, "pinned": ["who?"]
        });
        self.post("/api/jobs", &new)
    }

    pub(crate) fn wait_for(&self, wanted: impl Fn(&Job) -> bool) -> Job {
        let deadline = Instant::now() + Duration::from_mins(2);
        loop {
            let job: Job = self.get_json("/api/jobs/1");
            if wanted(&job) {
                return job;
            }
            assert!(Instant::now() < deadline, "the job does not come so far: {job:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// All that happens to the job until it is over, or until the server ends.
    pub(crate) fn follow(&self) -> Vec<JobEvent> {
        let text = self.get("/api/jobs/1/events");
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap()).collect()
    }

    pub(crate) fn kill(mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn ask_to_end(&self) {
        let asked = std::process::Command::new("kill").arg(self.program.id().to_string()).status();
        assert!(asked.unwrap().success());
    }

    /// Waits until it has ended, which must be soon and without an error.
    #[cfg(unix)]
    pub(crate) fn has_ended(mut self) {
        let deadline = Instant::now() + Duration::from_secs(8);
        let status = loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which the test has seen then.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What a page draws of a job's events: what a start computes anew is in the place of what was told before.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Curves {
    pub(crate) losses: Vec<(usize, f64)>,
    pub(crate) evaluations: Vec<(usize, f64)>,
    pub(crate) answers: Vec<(usize, Vec<SampleAnswer>)>,
}

impl Curves {
    pub(crate) fn of(events: &[JobEvent]) -> Self {
        let mut curves = Self::default();
        for event in events {
            match event.kind.clone() {
                JobEventKind::Started { first_step, .. } => {
                    curves.losses.retain(|it| it.0 <= first_step);
                    curves.evaluations.retain(|it| it.0 <= first_step);
                    curves.answers.retain(|it| it.0 <= first_step);
                }
                JobEventKind::Step { step, loss, .. } => curves.losses.push((step, loss)),
                JobEventKind::Evaluation { step, loss } => curves.evaluations.push((step, loss)),
                JobEventKind::Answers { step, answers } => curves.answers.push((step, answers)),
                JobEventKind::State { .. } | JobEventKind::Saved { .. } => {}
            }
        }
        curves
    }
}
