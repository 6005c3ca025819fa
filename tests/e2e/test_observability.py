"""Dashboards, alert rules and the metrics table of the operations guide name what the services export, and nothing else."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Pipeline, eventually
from pipeline import METRIC_PREFIX, REPOSITORY, http

OBSERVABILITY = REPOSITORY / "docker/observability"
PROMETHEUS = OBSERVABILITY / "prometheus"
DASHBOARDS = sorted((OBSERVABILITY / "grafana/dashboards").glob("*.json"))
GUIDE = (REPOSITORY / "docs/operations.md").read_text()
PROMETHEUS_IMAGE = "prom/prometheus:v2.53.5"

SELECTOR = re.compile(r"\b((?:currency_trends|process)_\w+)\s*(?:\{([^}]*)\})?")
EQUAL_LABEL = re.compile(r'(\w+)="([^"]*)"')
# What Prometheus adds to each sample itself.
TARGET_LABELS = {"job", "instance"}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["panels"]


def queries() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for rule in alerts():
        yield f"alert {rule['alert']}", rule["expr"]
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel.get("targets", []):
                if "expr" in target:
                    yield f"{path.name}: {panel['title']}", target["expr"]


# --- what the services export ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(new_pipeline: Callable[[str], Pipeline]) -> Iterator[dict[str, set[frozenset[tuple[str, str]]]]]:
    """Every metric of every service, after a little of everything has happened: name to the label sets seen."""
    pipeline = new_pipeline("observability")
    try:
        simulator = pipeline.start_simulator(SIM_TRADE_RATE="20")
        services = pipeline.start("scheduler", "persister", "ingestor")
        ingestor = services[2]
        pipeline.open_market()
        pipeline.wait_executed_more(50)
        simulator.fault("malformed", count=3)
        eventually("bad frames", lambda: ingestor.metrics().value("bad_frames_total") > 0)
        simulator.fault("drop")
        eventually("disconnects", lambda: ingestor.metrics().value("websocket_disconnects_total") > 0)
        eventually("fetches", lambda: ingestor.metrics().value("fetch_commands_total", kind="trades") > 0)
        seen: dict[str, set[frozenset[tuple[str, str]]]] = {}
        for service in services:
            for line in http("GET", f"{service.url}/metrics")[1].splitlines():
                found = None if line.startswith("#") else re.match(r"(\w+)(?:\{(.*)\})? ", line)
                if found:
                    labels = EQUAL_LABEL.findall(found[2] or "")
                    seen.setdefault(found[1], set()).add(frozenset(labels))
        yield seen
    finally:
        pipeline.close()


def families(exported: Iterable[str]) -> set[str]:
    """The names as a reader thinks of them: a histogram is one."""
    histograms = {name.removesuffix("_bucket") for name in exported if name.endswith("_bucket")}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    return (set(exported) - parts) | histograms


def test_every_selector_of_alerts_and_dashboards_selects_something(exported: dict[str, Any]) -> None:
    unknown = []
    for where, expression in queries():
        for name, matchers in SELECTOR.findall(expression):
            wanted = {(label, value) for label, value in EQUAL_LABEL.findall(matchers) if label not in TARGET_LABELS}
            if not any(wanted <= labels for labels in exported.get(name, ())):
                unknown.append(f"{where}: {name}{{{matchers}}}")
    assert not unknown


def test_every_label_that_is_grouped_by_exists(exported: dict[str, Any]) -> None:
    known = TARGET_LABELS | {label for sets in exported.values() for labels in sets for label, _ in labels}
    grouped = {
        (where, label)
        for where, expression in queries()
        for labels in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression)
        for label in labels.replace(" ", "").split(",")
    }
    assert [(where, label) for where, label in grouped if label not in known] == []


def test_the_guide_lists_every_metric_and_no_other(exported: dict[str, Any]) -> None:
    listed = re.findall(r"^\| `(\w+)", GUIDE.split("## Metrics")[1].split("\n## ")[0], re.M)
    ours = {name.removeprefix(METRIC_PREFIX) for name in families(exported)}
    assert sorted(listed) == sorted(ours)


def test_every_metric_of_ours_is_looked_at(exported: dict[str, Any]) -> None:
    """A metric that no dashboard shows is one that nobody maintains."""
    shown = {name for _, expression in queries() for name, _ in SELECTOR.findall(expression)}
    unseen = {name for name in families(exported) if name.startswith(METRIC_PREFIX)} - families(shown)
    assert unseen <= {f"{METRIC_PREFIX}{name}" for name in ("build_info", "job_last_fired_timestamp_seconds", "merged_batches_total", "tombstones_total")}


def test_lost_trades_show_in_the_metrics(pipeline: Pipeline) -> None:
    simulator = pipeline.start_simulator(SIM_TRADE_RATE="20")
    pipeline.start("scheduler", "persister", "ingestor")
    pipeline.open_market()
    pipeline.wait_executed_more(50)
    simulator.fault("lose", instId="BTC-USDT", count=5)
    lost = "SELECT sum(trades) FROM trade_gaps WHERE state = 'unfillable'"
    eventually("the hole is known to be unfillable", lambda: pipeline.value(lost) == 5)
    [persister] = pipeline.start("persister")  # the count is renewed once a minute, and at start
    eventually("it is counted", lambda: persister.metrics().value("missing_trades", state="unfillable") == 5)
    assert persister.metrics().value("missing_trades", state="open") == 0


# --- alerts ---------------------------------------------------------------------------------------------


def test_every_alert_has_a_runbook_in_the_guide() -> None:
    anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", GUIDE, re.M)}
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "docs/operations.md"
        assert anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]


def test_every_alert_has_a_test() -> None:
    tested = {case["alertname"] for test in rule_tests() for case in test["alert_rule_test"] if "exp_alerts" in case}
    assert {rule["alert"] for rule in alerts()} == tested


def rule_tests() -> list[dict[str, Any]]:
    return yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]


def promtool() -> list[str]:
    """promtool of this machine, or that of the image; skips where there is neither."""
    if shutil.which("promtool"):
        return ["promtool"]
    image = ["docker", "image", "inspect", PROMETHEUS_IMAGE]
    if shutil.which("docker") and subprocess.run(image, capture_output=True, check=False).returncode == 0:
        mount = f"{PROMETHEUS}:/etc/prometheus:ro"
        return ["docker", "run", "--rm", "-v", mount, "-w", "/etc/prometheus", "--entrypoint", "promtool", PROMETHEUS_IMAGE]
    pytest.skip(f"neither promtool (Debian's package prometheus) nor the image {PROMETHEUS_IMAGE} is here")


@pytest.mark.parametrize("command", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]], ids=" ".join)
def test_promtool_accepts_the_rules(command: list[str]) -> None:
    done = subprocess.run([*promtool(), *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration(tmp_path: Path) -> None:
    command = promtool()
    if command[0] == "promtool":  # the configuration names its rules where the container has them
        for path in PROMETHEUS.glob("*.yml"):
            (tmp_path / path.name).write_text(path.read_text().replace("/etc/prometheus", str(tmp_path)))
    done = subprocess.run([*command, "check", "config", "prometheus.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_is_scraped_by_its_name_in_the_compose_file() -> None:
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    names = {name for job in jobs for discovery in job["dns_sd_configs"] for name in discovery["names"]}
    assert names == {"ingestor", "persister", "scheduler"}
    assert names <= services.keys()
    assert all(job["job_name"] in job["dns_sd_configs"][0]["names"] for job in jobs)


# --- dashboards -----------------------------------------------------------------------------------------


def datasources() -> set[tuple[str, str]]:
    provisioned = yaml.safe_load((OBSERVABILITY / "grafana/provisioning/datasources/datasources.yml").read_text())
    return {(each["type"], each["uid"]) for each in provisioned["datasources"]}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_sound(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    assert dashboard["uid"]
    assert dashboard["title"]
    found = dashboard["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    for panel in found:
        assert panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert (target["datasource"]["type"], target["datasource"]["uid"]) in datasources()
            assert target.get("expr") or target.get("rawSql")


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_lie_within_the_grid_and_do_not_overlap(path: Path) -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in panels(path)]
    for title, place in places:
        assert 0 <= place["x"] and place["x"] + place["w"] <= 24, title
        assert place["h"] > 0 and place["y"] >= 0, title
    for (one, a), (other, b) in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, f"{one!r} lies on {other!r}"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_the_sql_of_a_dashboard_runs(path: Path, pipeline: Pipeline) -> None:
    for panel in panels(path):
        for target in panel.get("targets", []):
            if "rawSql" in target:
                pipeline.sql(target["rawSql"])


# --- the guide ------------------------------------------------------------------------------------------


def test_the_sql_of_the_guide_runs(pipeline: Pipeline) -> None:
    blocks = re.findall(r"^```sql\n(.*?)^```", GUIDE, re.M | re.S)
    assert blocks
    for block in blocks:
        pipeline.sql(f"BEGIN; {block}; ROLLBACK")


def test_the_query_for_holes_finds_them(pipeline: Pipeline) -> None:
    pipeline.sql("SELECT create_trades_partition('2026-11-01')")
    pipeline.sql(
        "INSERT INTO trades (inst_id, trade_id, px, sz, side, ts, origin, received_at)"
        " SELECT inst_id, id, 1, 1, 'buy', '2026-11-23 12:00+00', 'stream', now()"
        " FROM unnest(ARRAY['A', 'B']) AS inst_id, unnest(ARRAY[5, 6, 9, 10, 12]) AS id"
    )
    [query] = [block for block in re.findall(r"^```sql\n(.*?)^```", GUIDE, re.M | re.S) if "lag(trade_id)" in block]
    assert sorted(pipeline.sql(query)) == [("A", 7, 8), ("A", 11, 11), ("B", 7, 8), ("B", 11, 11)]
