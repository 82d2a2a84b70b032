// Which parts of planning the engine has. What it lacks is judged on the reference planner alone.

/// A part of planning that scenarios and tests can be made with or without.
enum Feature: String, CaseIterable {
  /// Besteffort jobs, running and waiting.
  case besteffort
  /// Queues of equal priority, inactive queues.
  case queueGroups
  /// Alive resources that go out of service at a known instant (`available_upto`).
  case availableUpto
  /// Sleeping resources that can be woken, and jobs that may start on them (`noop=standby`).
  case standby
  /// Jobs that take resources in any state but Dead (`state=permissive`).
  case permissive
  /// Besteffort jobs that have time to save their work before they give way.
  case checkpoints
  /// Besteffort jobs give way ahead of the jobs that need their resources.
  case killAhead
  /// Short holes are not used.
  case holes
  /// `postpone`, `deadline` and `expire`.
  case dates
  case containers
  case timesharing
  case placeholders
  /// Accepted advance reservations.
  case reservations
  /// Advance reservations to be accepted or refused.
  case newReservations
  /// Job types that can't be understood keep a job from starting.
  case typeChecks
  /// Groups joined by `+` that compete for the same resources get the first start that suits them.
  /// More free resources may suit them less, since the first group chooses others: from a start that
  /// fails nothing follows for another start. Without it, a later start is accepted too.
  case competingGroups
  /// Limits of users, projects, queues and types, with or without a calendar.
  case quotas
  /// Fair shares or weighted sums instead of first come, first served; limits of the jobs of a user
  /// and of a pass.
  case orders
  /// Requests that take more or less depending on when they start (BEST, hosts of several sizes) are
  /// tried under quotas wherever anything begins or ends. Without it, a later start, or none, is
  /// accepted too.
  case varyingSizes
}

/// What the engine can do; the list to extend when it learns something.
let plannedFeatures = Set(Feature.allCases)

/// Those that the first scenarios were made with.
let firstFeatures = plannedFeatures.subtracting([
  .checkpoints, .killAhead, .holes, .quotas, .orders, .varyingSizes,
])
