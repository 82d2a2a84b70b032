// The constraint that binds, told exactly: which dates, which jobs, how much. The pass only notes what it
// needs itself; the rest is worked out here, when somebody asks.

import ClusterModel
import Kamelot

extension Inquiry {
  /// A reason that no request changes, with ids and dates.
  func told(_ reason: Reason) -> Reason {
    switch reason.kind {
    case .order: return orderReason(reason)
    case .dependency: return dependencyReason(reason)
    case .date: return dateReason(reason)
    case .reservation: return reservationReason(reason)
    case .container where placement != nil: return containerReason(reason)
    case .resources where placement != nil && job.reservation == nil: return waitReason(reason)
    default: return reason
    }
  }

  private func dependencyReason(_ reason: Reason) -> Reason {
    guard let first = holders(reason.blockers).first else { return reason }
    var reason = reason
    reason.text =
      first.start == nil
      ? "Job \(first.job) must end first; it runs until \(date(first.end)) at the latest."
      : "Job \(first.job) must end first; it is planned to end at \(date(first.end))."
    return reason
  }

  private func dateReason(_ reason: Reason) -> Reason {
    let traits = job.knownTraits(snapshot.settings)
    var reason = reason
    if let expire = traits.expire, snapshot.now > expire {
      reason.text = "It was to start by \(date(expire)), its date of expiry, which has passed."
    } else if let postpone = traits.postpone, postpone > snapshot.now {
      reason.text = "It is to start at \(date(postpone)) or later (postpone)."
    }
    return reason
  }

  private func reservationReason(_ reason: Reason) -> Reason {
    guard let start = job.reservation?.start, start > snapshot.now, let placement else {
      return reason
    }
    var reason = reason
    reason.text = "It is a reservation: it starts at \(date(start))."
    let missing = placement.places.subtracting(
      snapshot.platform.plannable(
        at: snapshot.now, withSleeping: snapshot.settings.usesSleepingHosts)
    ).count
    if missing > 0 {
      reason.text += " \(missing) of its \(placement.places.count) resources are not there now."
    }
    return reason
  }

  /// It has its place now, but its container must start before.
  private func containerReason(_ reason: Reason) -> Reason {
    guard let container = job.knownTraits(snapshot.settings).inner,
      let opener = opener(of: container)
    else { return reason }
    var reason = reason
    reason.text = "It starts as soon as its container \"\(container)\", job \(opener.job), has."
    reason.blockers = [opener.job]
    return reason
  }

  /// It has its place now, but besteffort jobs are still there, or hosts sleep.
  private func waitReason(_ reason: Reason) -> Reason {
    guard let placement, placement.start <= snapshot.now, reason.blockers.isEmpty else {
      return reason
    }
    let hosts = snapshot.platform.hosts(of: placement.places.subtracting(snapshot.platform.usable))
    guard !hosts.isEmpty else { return reason }
    var reason = reason
    reason.text =
      hosts.count == 1
      ? "It starts as soon as the host \(hosts[0]), which sleeps, has been woken."
      : "It starts as soon as the hosts \(Self.list(hosts)), which sleep, have been woken."
    return reason
  }

  /// The first few of some names.
  static func list(_ names: [String], limit: Int = 10) -> String {
    let rest = names.count - limit
    return names.prefix(limit).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}

extension ChangeSearch {
  /// Fills in what binds a job whose request might be changed.
  mutating func explainReason(_ explanation: inout Kao.Explanation) {
    var reason = explanation.reason
    switch reason.kind {
    case .resources: reason = resourcesReason(reason)
    case .quota:
      if let excess = reason.quota, let standing = opening.standing(excess, ahead) {
        explanation.quota = standing
        reason.text = standing.text(excess, inquiry)
        reason.blockers = standing.jobs
      }
    case .container: reason = containerReason(reason)
    case .date:
      if let deadline = ahead.traits.deadline {
        reason.text = "It can't end by its deadline, \(inquiry.date(deadline))."
      }
    default: break
    }
    explanation.reason = reason
    guard [.resources, .reservationAhead, .impossible, .container].contains(reason.kind),
      let request = binding?.request
    else { return }
    explanation.shortage = Kao.Explanation.Shortage(
      request: request.text, properties: inquiry.job.properties, needed: request.need,
      matching: request.reach.count, free: opening.free(for: request).count)
  }

  private mutating func resourcesReason(_ reason: Reason) -> Reason {
    guard let shape = binding, let request = shape.request else { return reason }
    if let ahead = reservationsAhead(request, shape.duration) { return ahead }
    guard ahead.traits.sharing != .none else { return reason }
    // What it may share does not keep it waiting.
    let isOpen = opening.resources(for: request, 1) != nil
    let now = inquiry.snapshot.now
    var told = reason
    if !isOpen { told.text = request.shortageText(free: opening.free(for: request).count) }
    told.blockers = ahead.inTheWay(
      on: request.reach, before: isOpen ? now.addingCapped(shape.duration) : now + 1)
    return told
  }

  /// The reservations that keep it waiting: without them it could start now.
  private mutating func reservationsAhead(
    _ request: ResolvedRequest, _ duration: Seconds
  ) -> Reason? {
    let (now, waiting) = (inquiry.snapshot.now, inquiry.snapshot.waiting)
    let end = now.addingCapped(duration)
    let near = ahead.promised.filter { index in
      guard let reservation = waiting[index].reservation, let promise = reservation.promised else {
        return false
      }
      let places = inquiry.snapshot.platform.places(of: promise.resources)
      return reservation.start < end && !places.isDisjoint(with: request.reach)
    }
    guard !near.isEmpty, opening.resources(for: request, duration) == nil else { return nil }
    var without = Opening(ahead, for: inquiry.job, withReservations: false)
    guard without.suits(request, for: duration) else { return nil }
    let dates = near.map { (start: waiting[$0].reservation?.start ?? now, job: waiting[$0].id) }
      .sorted { ($0.start, $0.job) < ($1.start, $1.job) }
    let names = dates.map { "\($0.job) (\(inquiry.date($0.start)))" }
    let what =
      names.count == 1
      ? "the reservation \(names[0]) begins" : "the reservations \(Inquiry.list(names)) begin"
    return Reason(
      .reservationAhead,
      "Without reservations ahead, \(request.text) would be free now; but \(what) before it would end.",
      blockers: Array(dates.map(\.job).prefix(Reasons.blockerLimit)))
  }

  private mutating func containerReason(_ reason: Reason) -> Reason {
    guard let container = ahead.traits.inner, let shape = binding, let request = shape.request
    else { return reason }
    var reason = reason
    let now = inquiry.snapshot.now
    if let opener = inquiry.opener(of: container), opener.start > now {
      let start = inquiry.date(opener.start)
      // Without a place it has to hear what the pass found, such as that the container is too short.
      reason.text =
        inquiry.placement == nil
        ? "\(reason.text) The container is job \(opener.job), planned for \(start)."
        : "Its container \"\(container)\", job \(opener.job), is planned for \(start)."
      reason.blockers = [opener.job]
    } else {
      reason.blockers = ahead.inTheWay(on: request.reach, before: now.addingCapped(shape.duration))
    }
    return reason
  }
}

extension QuotaStanding {
  /// A sentence for the user.
  fileprivate func text(_ excess: QuotaExcess, _ inquiry: Inquiry) -> String {
    var excess = excess
    if counter != .window { excess.value = used.addingCapped(wanted) }
    var text = excess.text
    if counter != .window, at > inquiry.snapshot.now {
      text.removeLast()
      text += ", at \(inquiry.date(at))."
    }
    return text
  }
}

extension Platform {
  /// The names of the hosts of some places, in the order of preference.
  fileprivate func hosts(of places: ResourceSet) -> [String] {
    var seen: Set<String> = []
    return places.map { resources[$0].networkAddress }
      .filter { !$0.isEmpty && seen.insert($0).inserted }
  }
}
