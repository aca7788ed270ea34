"""Which ConfigMaps a template needs."""

from remediator.workloads.config_maps import referenced_config_maps


def test_every_way_to_refer_to_a_config_map_is_found_and_optional_ones_are_left_out() -> None:
    template = {
        "spec": {
            "volumes": [
                {"name": "a", "configMap": {"name": "volume"}},
                {"name": "b", "configMap": {"name": "volume-maybe", "optional": True}},
                {
                    "name": "c",
                    "projected": {
                        "sources": [
                            {"configMap": {"name": "projected", "optional": False}},
                            {"secret": {"name": "not-a-config-map"}},
                            {"configMap": {"name": "projected-maybe", "optional": True}},
                        ]
                    },
                },
                {"name": "d", "secret": {"secretName": "not-a-config-map"}},
            ],
            "containers": [
                {
                    "name": "app",
                    "envFrom": [
                        {"configMapRef": {"name": "env-from"}},
                        {"configMapRef": {"name": "env-from-maybe", "optional": True}},
                        {"secretRef": {"name": "not-a-config-map"}},
                    ],
                    "env": [
                        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "env", "key": "a"}}},
                        {
                            "name": "B",
                            "valueFrom": {"secretKeyRef": {"name": "not-a-config-map", "key": "b"}},
                        },
                        {"name": "C", "value": "plain"},
                    ],
                }
            ],
            "initContainers": [{"name": "init", "envFrom": [{"configMapRef": {"name": "init-env-from"}}]}],
        }
    }
    assert referenced_config_maps(template) == {"volume", "projected", "env-from", "env", "init-env-from"}


def test_a_malformed_template_refers_to_nothing() -> None:
    assert referenced_config_maps({"spec": {"volumes": "x", "containers": [None, {"env": {}}]}}) == set()
