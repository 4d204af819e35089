//! Requests that together name every member of RegisterTaskDefinition and CreateService, in the shapes that people write them.

use serde_json::{Value, json};

use crate::stage::TARGET_GROUP;

pub const GROUP_OF_CLOUDS: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/admin/fedcba9876543210";

/// A task definition for container instances: the host's network, devices, docker volumes, links.
pub fn on_instances() -> Value {
    json!({
        "family": "instances",
        "taskRoleArn": "task",
        "executionRoleArn": "arn:aws:iam::111122223333:role/exec",
        "networkMode": "bridge",
        "requiresCompatibilities": ["EC2", "EXTERNAL"],
        "pidMode": "task",
        "ipcMode": "none",
        "memory": "2 GB",
        "enableFaultInjection": false,
        "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.instance-type == g5.xlarge"}],
        "inferenceAccelerators": [{"deviceName": "device_1", "deviceType": "eia2.medium"}],
        "tags": [{"key": "team", "value": "clouds"}],
        "volumes": [
            {"name": "scratch", "host": {"sourcePath": "/var/scratch"}},
            {"name": "docker", "dockerVolumeConfiguration": {
                "scope": "shared", "autoprovision": true, "driver": "local", "driverOpts": {"type": "tmpfs"}, "labels": {"kept": "yes"},
            }},
            {"name": "plain"},
            {"name": "windows", "fsxWindowsFileServerVolumeConfiguration": {
                "fileSystemId": "fs-1", "rootDirectory": "share",
                "authorizationConfig": {"credentialsParameter": "arn:aws:ssm:eu-central-1:111122223333:parameter/fsx", "domain": "corp"},
            }},
        ],
        "containerDefinitions": [engine(), {
            "name": "proxy",
            "image": "nginx:1.27",
            "memoryReservation": 64,
            "essential": false,
            "links": ["engine:backend"],
            "volumesFrom": [{"sourceContainer": "engine", "readOnly": true}],
            "portMappings": [{"containerPort": 80, "hostPort": 8080}, {"containerPortRange": "9000-9010", "protocol": "udp"}],
            "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/clouds", "awslogs-region": "eu-central-1"}},
        }],
    })
}

fn engine() -> Value {
    json!({
        "name": "engine",
        "image": "registry.example.com/engine:v3",
        "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:registry"},
        "cpu": 10,
        "memory": 512,
        "memoryReservation": 256,
        "portMappings": [],
        "essential": true,
        "restartPolicy": {"enabled": true, "ignoredExitCodes": [0, 3], "restartAttemptPeriod": 120},
        "entryPoint": ["sh", "-c"],
        "command": ["serve"],
        "environment": [{"name": "LEVEL", "value": "info"}, {"name": "EMPTY"}],
        "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::clouds/engine.env"}],
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": false}],
        "linuxParameters": {
            "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
            "devices": [{"hostPath": "/dev/fuse", "containerPath": "/dev/fuse", "permissions": ["read", "write"]}],
            "initProcessEnabled": true,
            "sharedMemorySize": 64,
            "maxSwap": 128,
            "swappiness": 10,
            "tmpfs": [{"containerPath": "/run", "size": 64, "mountOptions": ["noexec"]}],
        },
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/key"}],
        "startTimeout": 30,
        "stopTimeout": 60,
        "versionConsistency": "enabled",
        "hostname": "engine",
        "user": "1000:1000",
        "workingDirectory": "/srv",
        "disableNetworking": false,
        "privileged": true,
        "readonlyRootFilesystem": true,
        "dnsServers": ["10.0.0.2"],
        "dnsSearchDomains": ["internal"],
        "extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.9"}],
        "dockerSecurityOptions": ["no-new-privileges"],
        "interactive": false,
        "pseudoTerminal": false,
        "dockerLabels": {"com.example.owner": "clouds"},
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
        "logConfiguration": {
            "logDriver": "splunk",
            "options": {"splunk-url": "https://splunk.example.com"},
            "secretOptions": [{"name": "splunk-token", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/splunk"}],
        },
        "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
        "resourceRequirements": [
            {"type": "GPU", "value": "1", "sharingStrategy": {"nvidiaMps": {"memory": 1024, "maxComputePercent": 50}}},
        ],
        "credentialSpecs": ["credentialspecdomainless:arn:aws:s3:::clouds/spec.json"],
    })
}

/// A task definition for Fargate: a mesh's proxy, a file system, a sidecar that is waited for.
pub fn on_fargate() -> Value {
    json!({
        "family": "fargate",
        "taskRoleArn": "arn:aws:iam::111122223333:role/task",
        "executionRoleArn": "exec",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1 vCPU",
        "memory": "2GB",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGiB": 40},
        "proxyConfiguration": {
            "type": "APPMESH", "containerName": "envoy", "properties": [{"name": "AppPorts", "value": "8080"}],
        },
        "volumes": [
            {"name": "shared", "efsVolumeConfiguration": {
                "fileSystemId": "fs-2", "transitEncryption": "ENABLED", "transitEncryptionPort": 2999,
                "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
            }},
            {"name": "rooted", "efsVolumeConfiguration": {"fileSystemId": "fs-3", "rootDirectory": "/data"}},
            {"name": "bucket", "s3filesVolumeConfiguration": {
                "fileSystemArn": "arn:aws:s3files:eu-central-1:111122223333:file-system/fs-4", "rootDirectory": "/",
                "accessPointArn": "arn:aws:s3files:eu-central-1:111122223333:access-point/ap-1", "transitEncryptionPort": 3000,
            }},
            {"name": "disk", "configuredAtLaunch": true},
        ],
        "containerDefinitions": [
            {
                "name": "app",
                "image": "app",
                "portMappings": [
                    {"name": "http", "containerPort": 8080, "protocol": "tcp", "appProtocol": "http"},
                    {"name": "admin", "containerPort": 9090},
                ],
                "dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}],
                "mountPoints": [{"sourceVolume": "shared", "containerPath": "/shared"}],
                "logConfiguration": {"logDriver": "awsfirelens"},
            },
            {
                "name": "envoy",
                "image": "envoy:v1",
                "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 10, "timeout": 3, "retries": 2, "startPeriod": 20},
            },
        ],
    })
}

/// A service on Fargate with two target groups and everything that stands beside them.
pub fn everything(definition: &str) -> Value {
    json!({
        "cluster": "prod",
        "serviceName": "web",
        "clientToken": "token-1",
        "taskDefinition": definition,
        "desiredCount": 2,
        "capacityProviderStrategy": [
            {"capacityProvider": "FARGATE", "base": 1, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 3},
        ],
        "platformVersion": "LATEST",
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "availabilityZoneRebalancing": "DISABLED",
        "healthCheckGracePeriodSeconds": 30,
        "enableECSManagedTags": true,
        "enableExecuteCommand": true,
        "propagateTags": "SERVICE",
        "tags": [{"key": "team", "value": "clouds"}],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED",
        }},
        "loadBalancers": [
            {"targetGroupArn": TARGET_GROUP, "containerName": "app", "containerPort": 8080},
            {"targetGroupArn": GROUP_OF_CLOUDS, "containerName": "app", "containerPort": 9090},
        ],
        "serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:eu-central-1:111122223333:service/srv-1"}],
        "deploymentConfiguration": rolling(),
        "serviceConnectConfiguration": service_connect(),
        "volumeConfigurations": [{"name": "disk", "managedEBSVolume": {
            "roleArn": "arn:aws:iam::111122223333:role/task", "sizeInGiB": 10, "volumeType": "gp3", "iops": 3000,
            "throughput": 125, "encrypted": true, "kmsKeyId": "alias/disk", "filesystemType": "ext4", "snapshotId": "snap-1",
            "volumeInitializationRate": 100,
            "tagSpecifications": [{"resourceType": "volume", "propagateTags": "SERVICE", "tags": [{"key": "a", "value": "b"}]}],
        }}],
        "vpcLatticeConfigurations": [{
            "roleArn": "arn:aws:iam::111122223333:role/task", "portName": "admin",
            "targetGroupArn": "arn:aws:vpc-lattice:eu-central-1:111122223333:targetgroup/tg-1",
            "advancedConfiguration": {
                "alternateTargetGroupArn": "arn:aws:vpc-lattice:eu-central-1:111122223333:targetgroup/tg-2",
                "productionListenerRule": "rule/1", "testListenerRule": "rule/2",
            },
        }],
        "monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]},
        "gatewayConnectors": [{
            "portName": "http",
            "filters": {"accessTypes": ["PRIVATE"]},
            "healthCheck": {
                "healthCheckPath": "/", "healthCheckPort": 8080, "healthCheckProtocol": "HTTP", "healthCheckIntervalSeconds": 10,
                "healthCheckTimeoutSeconds": 5, "healthyThresholdCount": 2, "unhealthyThresholdCount": 2,
                "matcher": {"httpCode": "200", "grpcCode": "0"},
            },
        }],
    })
}

fn rolling() -> Value {
    json!({
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {
            "enable": true, "rollback": true, "resetOnHealthyTask": false,
            "thresholdConfiguration": {"type": "COUNT", "value": 4},
        },
        "alarms": {"alarmNames": ["web-5xx"], "enable": true, "rollback": true},
    })
}

fn service_connect() -> Value {
    json!({
        "enabled": true,
        "namespace": "internal",
        "services": [{
            "portName": "http",
            "discoveryName": "web",
            "ingressPortOverride": 15000,
            "clientAliases": [{"port": 80, "dnsName": "web", "testTrafficRules": {"header": {"name": "x-test", "value": {"exact": "1"}}}}],
            "timeout": {"idleTimeoutSeconds": 60, "perRequestTimeoutSeconds": 15},
            "tls": {
                "issuerCertificateAuthority": {"awsPcaAuthorityArn": "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1"},
                "kmsKey": "alias/tls", "roleArn": "arn:aws:iam::111122223333:role/task",
            },
        }],
        "logConfiguration": {
            "logDriver": "awslogs", "options": {"awslogs-group": "mesh"},
            "secretOptions": [{"name": "token", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/mesh"}],
        },
        "containerConfigurations": [{"logLevel": "info"}],
        "accessLogConfiguration": {"format": "JSON", "includeQueryParameters": "DISABLED"},
    })
}
