/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podman_shapes: the types that podman wants in the documents of an image. If one image has a value
 * of another type, "podman images" fails for every user of the store. The members are those of
 * image-spec (specs-go/v1), and of docker's documents in containers/image
 * (manifest/docker_schema2.go), of all versions until now.
 */

#include "../base/json_shape.h"
#include "podman_priv.h"

#define OBJECT(table) { .kind = JSON_KIND_OBJECT, .members = (table) }

static const struct json_shape str = { .kind = JSON_KIND_STR }, number = { .kind = JSON_KIND_INT },
			       flag = { .kind = JSON_KIND_BOOL }, when = { .kind = JSON_KIND_TIME },
			       bytes = { .kind = JSON_KIND_BYTES },
			       none = { .kind = JSON_KIND_NONE },
			       strs = { .kind = JSON_KIND_LIST, .of = &str },
			       map_of_strs = { .kind = JSON_KIND_MAP, .of = &str },
			       empty = { .kind = JSON_KIND_OBJECT },
			       set = { .kind = JSON_KIND_MAP, .of = &empty };

/*
 * --- the manifest ------------------------------------------------------------------------------
 */

static const struct json_member platform_members[] = { { "architecture", &str }, { "os", &str },
	{ "os.version", &str }, { "os.features", &strs }, { "variant", &str }, { NULL, NULL } };
static const struct json_shape platform = OBJECT(platform_members);

static const struct json_member descriptor_members[] = { { "mediaType", &str }, { "digest", &str },
	{ "size", &number }, { "urls", &strs }, { "annotations", &map_of_strs }, { "data", &bytes },
	{ "platform", &platform }, { "artifactType", &str }, { NULL, NULL } };
static const struct json_shape descriptor = OBJECT(descriptor_members),
			       descriptors = { .kind = JSON_KIND_LIST, .of = &descriptor };

/* podman refuses what could be another kind of document, too. */
static const struct json_member manifest_members[] = { { "schemaVersion", &number },
	{ "mediaType", &str }, { "artifactType", &str }, { "config", &descriptor },
	{ "layers", &descriptors }, { "subject", &descriptor }, { "annotations", &map_of_strs },
	{ "manifests", &none }, { "fsLayers", &none }, { "history", &none }, { NULL, NULL } };
static const struct json_shape manifest_shape = OBJECT(manifest_members);

/*
 * --- the configuration -------------------------------------------------------------------------
 */

static const struct json_member health_members[] = { { "Test", &strs }, { "Interval", &number },
	{ "Timeout", &number }, { "StartPeriod", &number }, { "StartInterval", &number },
	{ "Retries", &number }, { NULL, NULL } };
static const struct json_shape health = OBJECT(health_members);

static const struct json_member settings_members[] = { { "Hostname", &str }, { "Domainname", &str },
	{ "User", &str }, { "AttachStdin", &flag }, { "AttachStdout", &flag },
	{ "AttachStderr", &flag }, { "ExposedPorts", &set }, { "Tty", &flag },
	{ "OpenStdin", &flag }, { "StdinOnce", &flag }, { "Env", &strs }, { "Cmd", &strs },
	{ "Healthcheck", &health }, { "ArgsEscaped", &flag }, { "Image", &str },
	{ "Volumes", &set }, { "WorkingDir", &str }, { "Entrypoint", &strs },
	{ "NetworkDisabled", &flag }, { "MacAddress", &str }, { "OnBuild", &strs },
	{ "Labels", &map_of_strs }, { "StopSignal", &str }, { "StopTimeout", &number },
	{ "Shell", &strs }, { NULL, NULL } };
static const struct json_shape settings = OBJECT(settings_members);

static const struct json_member rootfs_members[] = { { "type", &str }, { "diff_ids", &strs },
	{ NULL, NULL } };
static const struct json_shape rootfs = OBJECT(rootfs_members);

static const struct json_member step_members[] = { { "created", &when }, { "created_by", &str },
	{ "author", &str }, { "comment", &str }, { "empty_layer", &flag }, { NULL, NULL } };
static const struct json_shape step = OBJECT(step_members),
			       steps = { .kind = JSON_KIND_LIST, .of = &step };

/* Docker's programs write "Size", and it is harmless in another spelling. */
static const struct json_member config_members[] = { { "id", &str }, { "parent", &str },
	{ "comment", &str }, { "created", &when }, { "container", &str },
	{ "container_config", &settings }, { "docker_version", &str }, { "author", &str },
	{ "config", &settings }, { "architecture", &str }, { "variant", &str }, { "os", &str },
	{ "os.version", &str }, { "os.features", &strs }, { "Size", &number }, { "size", &number },
	{ "rootfs", &rootfs }, { "history", &steps }, { NULL, NULL } };
static const struct json_shape config_shape = OBJECT(config_members);

int podman_check_config(const struct json *config, struct err *e)
{
	return doc_check_shape(config, &config_shape, "config.json", e);
}

int podman_check_manifest(const struct json *manifest, struct err *e)
{
	return doc_check_shape(manifest, &manifest_shape, "manifest.json", e);
}
