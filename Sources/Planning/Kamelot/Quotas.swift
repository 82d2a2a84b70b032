// The limits of users, projects, queues and types (QUOTAS_CONF_FILE).

import ClusterModel

/// A site's quotas.
public struct Quotas: Sendable {}
