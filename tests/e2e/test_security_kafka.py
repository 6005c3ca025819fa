"""Kafka with SASL_SSL and ACLs: each service under an account of its own that may do no more than it must."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from certificates import Authority
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from harness import eventually
from pipeline import REPOSITORY, Service
from secured import SecurePipeline, kafka_settings, service_mechanism
from servers import KAFKA_SUPER_USER, kafka_java

SCRIPT = REPOSITORY / "docker/secure/kafka-acls.sh"
SERVICES = ("scheduler", "ingestor", "persister")
BY_INSTRUMENT = ("trades", "candles", "control", "positions")
OTHERS = ("currencies", "fetch-results", "dead-letters")
Need = tuple[str, str, str, str]  # user, operation, resource, name


def needs(pipeline: SecurePipeline, *options: str) -> list[Need]:
    """What the script would allow."""
    command = [str(SCRIPT), "--print", "--prefix", pipeline.topics.prefix, *options]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [tuple(line.split()) for line in lines]


def binding(need: Need, kind: type[AclBinding] = AclBinding) -> AclBinding:
    user, operation, resource, name = need
    return kind(
        ResourceType[resource.upper()],
        name,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[operation.upper()],
        AclPermissionType.ALLOW,
    )


def granted(pipeline: SecurePipeline) -> set[Need]:
    """What the broker allows of the topics and groups with our prefix."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    return {
        (each.principal.removeprefix("User:"), each.operation.name.title(), each.restype.name.lower(), each.name)
        for each in pipeline.topics.admin.describe_acls(everything).result(10)
        if each.name.startswith(pipeline.topics.prefix)
    }


def allow(pipeline: SecurePipeline, wanted: list[Need]) -> None:
    for done in pipeline.topics.admin.create_acls([binding(need) for need in wanted]).values():
        done.result(10)
    # The controller's word; the broker goes by it a moment later.
    eventually("the grants in force", lambda: set(wanted) <= granted(pipeline))


def forbid(pipeline: SecurePipeline, need: Need) -> None:
    [done] = pipeline.topics.admin.delete_acls([binding(need, AclBindingFilter)]).values()
    assert len(done.result(10)) == 1
    eventually("the grant taken away", lambda: need not in granted(pipeline))


def need_of(pipeline: SecurePipeline, user: str, operation: str, resource: str, name: str) -> Need:
    return (user, operation, resource, pipeline.topics.prefix + name)


def use_accounts(pipeline: SecurePipeline, **accounts: str) -> None:
    """Each service takes the account of its name, or the one given."""
    mechanism = service_mechanism()
    for service in SERVICES:
        user = accounts.get(service, service)
        pipeline.accounts[service] = kafka_settings(pipeline.servers.account(user, mechanism))


def create_topics(pipeline: SecurePipeline) -> None:
    """As somebody else does where services may not."""
    for name in (*BY_INSTRUMENT, *OTHERS):
        pipeline.topics.create(name, 3 if name in BY_INSTRUMENT else 1)


def start_trading(pipeline: SecurePipeline) -> dict[str, Service]:
    pipeline.settings |= {"CURRENCIES": "BTC,ETH"}
    pipeline.start_simulator(SIM_TRADE_RATE="20", SIM_INSTRUMENTS="BTC-USDT,ETH-USDT")
    services = dict(zip(SERVICES, pipeline.start(*SERVICES), strict=True))
    pipeline.open_market()
    return services


def trouble(service: Service) -> str:
    return service.readiness()[1].get("kafka", "")


def test_everything_works_with_the_least_permissions(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    create_topics(pipeline)
    allow(pipeline, needs(pipeline))
    use_accounts(pipeline)
    services = start_trading(pipeline)
    pipeline.wait_executed_more(50)
    pipeline.simulator.fault("gap", instId="BTC-USDT", count=5)  # the ingestor writes a command
    pipeline.wait_executed_more(50)
    pipeline.topics.produce("trades", "BTC-USDT", b"poison")
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected
    eventually("a dead letter", lambda: [each.value for each in pipeline.topics.read_raw("dead-letters")] == [b"poison"])
    for kind in ("trades", "candles", "currencies"):
        done = f"SELECT count(*) FROM fetches WHERE status = 'done' AND kind = '{kind}'"
        eventually(f"a finished command for {kind}", lambda done=done: pipeline.value(done) > 0)
    for service in services.values():
        assert "uthorization failed" not in service.output()
    pipeline.simulator.resume()
    ingestor = services["ingestor"]
    ingestor.terminate()  # the next start reads positions, and the end of trades
    ingestor.start()
    ingestor.wait_ready()
    pipeline.wait_executed_more(50)
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected


def test_services_create_topics_where_they_may(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    allow(pipeline, needs(pipeline, "--create"))
    use_accounts(pipeline)
    start_trading(pipeline)
    pipeline.wait_executed_more(50)
    pipeline.assert_complete()


def test_without_the_permission_a_service_waits_for_its_topics(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    allow(pipeline, needs(pipeline))
    use_accounts(pipeline)
    persister = pipeline.service("persister")
    persister.start()
    said = f"create topic {pipeline.topics.prefix}"
    eventually("it says so", lambda: said in trouble(persister) and "uthorization failed" in trouble(persister))
    create_topics(pipeline)
    persister.wait_ready()


def test_a_topic_that_may_not_be_read_any_more_waits_and_heals(secure_pipeline: SecurePipeline) -> None:
    pipeline = secure_pipeline
    create_topics(pipeline)
    allow(pipeline, needs(pipeline))
    use_accounts(pipeline)
    persister = start_trading(pipeline)["persister"]
    pipeline.wait_executed_more(50)
    need = need_of(pipeline, "persister", "Read", "topic", "trades")
    forbid(pipeline, need)
    eventually("it says so", lambda: trouble(persister) == f"not allowed to read topic {pipeline.topics.prefix}trades")
    pipeline.wait_executed_more(50)
    allow(pipeline, [need])
    persister.wait_ready()
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected
    assert persister.metrics().value("dead_letters_total") == 0


@pytest.mark.parametrize("name", SERVICES)
def test_a_group_that_may_not_be_joined_is_named_and_joined_later(secure_pipeline: SecurePipeline, name: str) -> None:
    pipeline = secure_pipeline
    create_topics(pipeline)
    need = need_of(pipeline, name, "Read", "group", name)
    allow(pipeline, [each for each in needs(pipeline) if each != need])
    use_accounts(pipeline)
    pipeline.start_simulator(SIM_TRADE_RATE="20")
    service = pipeline.service(name)
    service.start()
    eventually("it says so", lambda: trouble(service) == f"not allowed to join group {pipeline.topics.prefix}{name}")
    allow(pipeline, [need])
    service.wait_ready(60)


def test_a_topic_that_may_not_be_written_any_more_ends_the_ingestor_and_loses_nothing(
    secure_pipeline: SecurePipeline,
) -> None:
    pipeline = secure_pipeline
    create_topics(pipeline)
    allow(pipeline, needs(pipeline))
    use_accounts(pipeline)
    ingestor = start_trading(pipeline)["ingestor"]
    pipeline.wait_executed_more(50)
    need = need_of(pipeline, "ingestor", "Write", "topic", "trades")
    forbid(pipeline, need)
    assert ingestor.wait(30) == 1
    assert "Topic authorization failed" in ingestor.output()
    pipeline.wait_executed_more(50)
    allow(pipeline, [need])
    ingestor.start()
    ingestor.wait_ready()
    pipeline.wait_executed_more(50)
    expected = pipeline.halt_and_drain()
    assert pipeline.table_trades() == expected


def refused_at_start(pipeline: SecurePipeline, said: str, **settings: str) -> None:
    """Each service says in /readyz and in the log why it has no Kafka, and goes on trying."""
    use_accounts(pipeline, ingestor=KAFKA_SUPER_USER, persister=KAFKA_SUPER_USER, scheduler=KAFKA_SUPER_USER)
    pipeline.start_simulator()
    pipeline.start_refused(*SERVICES, condition="kafka", said=said, **settings)
    assert pipeline.topics.partition_counts() == {}


def test_a_wrong_password_is_refused(secure_pipeline: SecurePipeline) -> None:
    refused_at_start(secure_pipeline, "Authentication failed", KAFKA_SASL_PASSWORD="wrong")


def test_a_broker_of_an_unknown_authority_is_refused(secure_pipeline: SecurePipeline, tmp_path: Path) -> None:
    other = str(Authority(tmp_path, "somebody else").certificate)
    refused_at_start(secure_pipeline, "certificate verify failed", KAFKA_SSL_CA_LOCATION=other)


def test_a_broker_of_another_name_is_refused(secure_pipeline: SecurePipeline) -> None:
    servers = secure_pipeline.settings["KAFKA_BOOTSTRAP_SERVERS"].replace("127.0.0.1", "localhost")
    refused_at_start(secure_pipeline, "certificate verify failed", KAFKA_BOOTSTRAP_SERVERS=servers)


@pytest.mark.skipif(service_mechanism() != "PLAIN", reason="this librdkafka's SCRAM suits Kafka 4")
def test_scram_of_an_old_librdkafka_is_named_as_the_reason(secure_pipeline: SecurePipeline) -> None:
    said = "librdkafka before 2.6.1 cannot do SCRAM with this Kafka"
    refused_at_start(secure_pipeline, said, KAFKA_SASL_MECHANISM="SCRAM-SHA-512")


def test_the_script_allows_what_it_prints(secure_pipeline: SecurePipeline, tmp_path: Path) -> None:
    pipeline = secure_pipeline
    configuration = tmp_path / "client.properties"
    configuration.write_text(pipeline.servers.stack.kafka.client_properties(KAFKA_SUPER_USER))
    tool = tmp_path / "kafka-acls"
    tool.write_text(f'#!/bin/sh\nexec {shlex.join([*kafka_java(64), "org.apache.kafka.tools.AclCommand"])} "$@"\n')
    tool.chmod(0o755)
    subprocess.run(
        [str(SCRIPT), "--bootstrap-server", pipeline.settings["KAFKA_BOOTSTRAP_SERVERS"]]
        + ["--command-config", str(configuration), "--prefix", pipeline.topics.prefix]
        + ["--user", "persister"],
        env={**os.environ, "KAFKA_ACLS": str(tool)},
        check=True,
        capture_output=True,
    )
    wanted = set(needs(pipeline, "--user", "persister"))
    eventually("the grants of the script", lambda: granted(pipeline) == wanted)
