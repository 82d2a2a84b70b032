// When quotas allow a job to start. Every refusal moves on to an instant where a counter falls or the
// rules change, so the search ends, and no start in between can be allowed.

import ClusterModel

/// What a job asks of the quotas.
private struct QuotaRequest {
  let regime: Int
  let use: QuotaUse
  let duration: Seconds

  init(regime: Int, resources: Int, duration: Seconds) {
    self.regime = regime
    self.duration = max(1, duration)
    use = QuotaUse(resources: resources, duration: duration)
  }

  /// The first instant after it, if it starts at `start`.
  func end(from start: Instant) -> Instant {
    let end = start.addingReportingOverflow(duration)
    return end.overflow ? .max : end.partialValue
  }
}

extension QuotaLedger {
  /// Whether a job may start at `start`, and if not, when it may.
  ///
  /// In each period of the calendar that the job touches, the rule that holds then must be kept.
  public mutating func earliestAllowed(
    _ account: QuotaAccount, resources: Int, duration: Seconds, from start: Instant
  ) -> QuotaVerdict {
    let request = QuotaRequest(
      regime: accounts[account.index].regime, resources: resources, duration: duration)
    let start = max(start, now)
    guard start <= latestStart else { return .exceeded(window(start).of(request, at: start)) }
    guard let next = obstacle(to: request, at: start) else { return .allowed }
    var excess = excess(of: request, at: start).of(request, at: start)
    excess.retryAt = firstAllowed(request, from: max(next, frontier(of: request)))
    return .exceeded(excess)
  }

  /// An instant before which no job of about the size may start.
  private mutating func frontier(of request: QuotaRequest) -> Instant {
    let size = QuotaSize(resources: request.use.resources, duration: request.duration).rounded
    let known = regimes[request.regime].frontiers[size] ?? now
    let rounded = QuotaRequest(
      regime: request.regime, resources: size.resources, duration: size.duration)
    let frontier = firstAllowed(rounded, from: known) ?? .max
    regimes[request.regime].frontiers[size] = frontier
    return frontier
  }

  private var latestStart: Instant {
    guard quotas.calendar.isTemporal else { return .max - 1 }
    let latest = now.addingReportingOverflow(quotas.windowLimit)
    return latest.overflow ? .max - 1 : latest.partialValue
  }

  private mutating func firstAllowed(_ request: QuotaRequest, from start: Instant) -> Instant? {
    var start = start
    while start <= latestStart {
      guard let next = obstacle(to: request, at: start) else { return start }
      start = next
    }
    return nil
  }

  /// `nil` if the job may start at `start`; else an instant before which no later start is allowed.
  private mutating func obstacle(to request: QuotaRequest, at start: Instant) -> Instant? {
    let end = request.end(from: start)
    var index = stretches.index(before: end)
    // From the last stretch and its last excess back: that moves on the farthest.
    while index >= 0, stretches.known[index].end > start {
      let stretch = stretches.known[index]
      if let limit = regimes[request.regime].limits[stretch.rules] {
        // All starts until the stretch ends would still touch it.
        if request.use.exceeds(limit.most) { return stretch.end }
        let excess = counters[limit.counter].endOfLastExcess(
          over: limit.most.room(beside: request.use), from: max(start, stretch.start),
          to: min(end, stretch.end))
        if let excess { return min(excess, stretch.end) }
      }
      index -= 1
    }
    return nil
  }

  /// The first limit that the job would exceed.
  private mutating func excess(of request: QuotaRequest, at start: Instant) -> QuotaExcess {
    let end = request.end(from: start)
    for stretch in stretches.known where stretch.start < end && stretch.end > start {
      guard let limit = regimes[request.regime].limits[stretch.rules] else { continue }
      let peak = counters[limit.counter].peak(
        from: max(start, stretch.start), to: min(end, stretch.end))
      if let excess = excess(peak + request.use, over: limit, of: stretch.rules) { return excess }
    }
    return window(start)
  }

  private func excess(
    _ use: QuotaUse, over limit: QuotaRegime.Limit, of rules: RuleSetIndex
  ) -> QuotaExcess? {
    let set = quotas.ruleSets[rules]
    func excess(_ kind: QuotaExcess.Limit, _ value: Int, _ allowed: Int) -> QuotaExcess {
      QuotaExcess(
        rule: set.rules[limit.rule].text, ruleSet: set.name, limit: kind, value: value,
        allowed: allowed)
    }
    let most = limit.most
    if use.resources > most.resources { return excess(.resources, use.resources, most.resources) }
    if use.jobs > most.jobs { return excess(.jobs, use.jobs, most.jobs) }
    if use.work > most.work { return excess(.resourceHours, use.work, most.work) }
    return nil
  }

  private func window(_ start: Instant) -> QuotaExcess {
    QuotaExcess(
      rule: "", ruleSet: "", limit: .window, value: start - now, allowed: quotas.windowLimit)
  }
}

extension QuotaExcess {
  /// The excess with what was asked.
  fileprivate func of(_ request: QuotaRequest, at start: Instant) -> QuotaExcess {
    var excess = self
    excess.start = start
    excess.resources = request.use.resources
    excess.duration = request.duration
    return excess
  }
}

extension QuotaUse {
  /// What is left of a limit beside a use that it admits.
  fileprivate func room(beside use: QuotaUse) -> QuotaUse {
    QuotaUse(
      resources: resources == .max ? .max : resources - use.resources,
      jobs: jobs == .max ? .max : jobs - use.jobs, work: work == .max ? .max : work - use.work)
  }
}
