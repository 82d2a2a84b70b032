// Jobs whose place a plug-in chooses. What it chooses is checked; a plug-in that errs harms the one job
// that it was asked about.

import ClusterModel
import Kamelot

/// One job and its plug-in, while they look for a spot.
private struct PluginSearch {
  let job: WaitingJob
  let call: PluginCall
  let choice: Choice
  /// What it said the last time it had nothing.
  var nothing: String?
  /// How often it was asked.
  var asked = 0

  mutating func countQuestion() throws(PluginError) {
    guard asked < PlannerPlugins.askLimit else {
      throw PluginError("it was asked \(asked) times, as often as is allowed, and chose nothing")
    }
    asked += 1
  }
}

extension Pass {
  /// The spot that a plug-in chooses: of several moldables, the one that would end first. Without one,
  /// the job gets its reason.
  mutating func spot(
    of index: Int, _ job: ReadyJob, by call: PluginCall, notBefore: Instant
  ) -> Found? {
    let id = snapshot.waiting[index].id
    let account = job.traits.isWithoutQuotas ? nil : account(of: snapshot.waiting[index])
    var best: Found?
    var forbidden: QuotaExcess?
    var nothing: String?
    for choice in job.choices {
      let query = query(for: choice, of: job, notBefore: notBefore, better: best)
      var search = PluginSearch(job: snapshot.waiting[index], call: call, choice: choice)
      do throws(PluginError) {
        let result = try findSpot(query, &search, account)
        if let spot = result.spot {
          best = Found(choice: choice, spot: spot, excess: result.excess)
        } else {
          forbidden = forbidden ?? result.excess
        }
      } catch {
        plan.reasons[id] = Reason(.plugin, "Its plug-in \"\(call.name)\" failed: \(error).")
        return nil
      }
      nothing = nothing ?? search.nothing
    }
    if let best { return best }
    if let forbidden {
      plan.reasons[id] = Reason(forbidden)
    } else {
      let why = nothing.map { ": \($0)." } ?? "."
      plan.reasons[id] = Reason(.plugin, "Its plug-in \"\(call.name)\" has no place for it\(why)")
    }
    return nil
  }

  /// The first spot that the plug-in chooses and quotas allow.
  private mutating func findSpot(
    _ query: SpotQuery, _ search: inout PluginSearch, _ account: QuotaAccount?
  ) throws(PluginError) -> (spot: Spot?, excess: QuotaExcess?) {
    var query = query
    var excess: QuotaExcess?
    while query.notBefore < query.limit, let spot = try ask(query, &search) {
      guard let account, let refused = refusal(of: spot, account) else { return (spot, excess) }
      excess = excess ?? refused
      guard let next = nextTry(query, after: spot, refused), next > spot.start else {
        return (nil, excess)
      }
      query.notBefore = next
    }
    return (nil, excess)
  }

  private mutating func ask(
    _ query: SpotQuery, _ search: inout PluginSearch
  ) throws(PluginError) -> Spot? {
    switch search.call.role {
    case .find:
      guard let finder = plugins.finders[search.call.name] else { return nil }
      return try ask(finder, query, &search)
    case .assign:
      guard let assigner = plugins.assigners[search.call.name] else { return nil }
      return try ask(assigner, query, &search)
    }
  }

  // MARK: Finders

  /// Asks about one start after another, until there is an answer.
  private mutating func ask(
    _ finder: any ResourceFinder, _ query: SpotQuery, _ search: inout PluginSearch
  ) throws(PluginError) -> Spot? {
    var query = query
    while let free = nextChance(&query, finder) {
      try search.countQuestion()
      let answer = try finder.find(
        FindQuestion(
          job: search.job, arguments: search.call.arguments, moldable: search.choice.moldable,
          request: query.request, start: query.notBefore, duration: query.duration, free: free,
          now: snapshot.now, platform: snapshot.platform))
      switch answer {
      case .chosen(let places):
        return try checked(places, free: free, query, finder.keepsCounts)
      case .nothing(let why):
        search.nothing = why ?? search.nothing
        guard let next = nextTurn(query) else { return nil }
        query.notBefore = next
      }
    }
    return nil
  }

  /// Moves on to the first start that is worth asking about; what is free then.
  private mutating func nextChance(
    _ query: inout SpotQuery, _ finder: any ResourceFinder
  ) -> ResourceSet? {
    if finder.keepsCounts {
      guard query.notBefore < query.limit, let spot = planner.findSpot(query) else { return nil }
      query.notBefore = spot.start
      return planner.free(query)
    }
    while query.notBefore < query.limit {
      let free = planner.free(query)
      if !free.isEmpty { return free }
      guard let next = nextTurn(query) else { return nil }
      query.notBefore = next
    }
    return nil
  }

  // MARK: Assigners

  private mutating func ask(
    _ assigner: any JobAssigner, _ query: SpotQuery, _ search: inout PluginSearch
  ) throws(PluginError) -> Spot? {
    try search.countQuestion()
    let question = AssignQuestion(
      job: search.job, arguments: search.call.arguments, moldable: search.choice.moldable,
      request: query.request, duration: query.duration, notBefore: query.notBefore,
      limit: query.limit, now: snapshot.now, platform: snapshot.platform)
    switch try answer(of: assigner, question, query) {
    case .nothing(let why):
      search.nothing = why ?? search.nothing
      return nil
    case .chosen(let spot):
      guard spot.start >= query.notBefore else {
        throw PluginError("it chose the start \(spot.start), before \(query.notBefore)")
      }
      guard spot.start < query.limit else { return nil }
      var query = query
      query.notBefore = spot.start
      return try checked(spot.places, free: planner.free(query), query, assigner.keepsCounts)
    }
  }

  /// Lends the planner to an assigner. Nobody else may hold it meanwhile: a copy would cost as much as
  /// the whole plan.
  private mutating func answer(
    of assigner: any JobAssigner, _ question: AssignQuestion, _ query: SpotQuery
  ) throws(PluginError) -> PluginAnswer<PluginSpot> {
    let nobody = ResourceSet(capacity: snapshot.platform.resources.count)
    var lent = Planner(
      platform: snapshot.platform, now: snapshot.now, free: nobody, requests: [ResolvedRequest]())
    swap(&lent, &planner)
    var view = PlanView(lent, query)
    lent = planner
    defer { planner = view.end() }
    return try assigner.assign(question, on: &view)
  }

  // MARK: Checks

  /// The spot that begins at the query's instant, if a plug-in may choose it.
  private func checked(
    _ places: ResourceSet, free: ResourceSet, _ query: SpotQuery, _ keepsCounts: Bool
  ) throws(PluginError) -> Spot {
    let problem = query.request.problem(
      with: places, free: free, keepsCounts: keepsCounts, on: snapshot.platform)
    if let problem { throw PluginError(problem) }
    return Spot(
      start: query.notBefore, end: query.notBefore.addingCapped(query.duration), resources: places)
  }
}
