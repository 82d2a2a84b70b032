// What hooks and commands ask of the lender's server.

import ClusterModel
import Wire

extension LendingServer {
  func serve(
    _ request: ClientRequest, _ asker: String, _ answer: @escaping LendingAnswer
  ) {
    do throws(Refusal) {
      guard case .lending(let request) = request else {
        throw Refusal(.protocolError, "bebidad knows of lending alone: ask the batch system itself")
      }
      switch request {
      case .show(let names):
        try requireHosts(names)
        guard let status = lender?.assumeIsolated({ $0.status(of: names) }) else {
          throw Refusal(.unavailable, "bebidad only starts")
        }
        answer(.lending(status))
      case .wish(let wish, let names):
        try require(asker, "say who has a host", hooks: false)
        try requireHosts(names)
        guard let lender, lender.assumeIsolated({ $0.isReady }) else {
          throw Refusal(.unavailable, "bebidad only starts; try again in a second")
        }
        lender.assumeIsolated { $0.wish(wish, names) { answer(.done) } }
      case .check:
        guard let lender else { throw Refusal(.unavailable, "bebidad only starts") }
        let side = side
        Task { answer(.lendingFindings(await lender.check() + side.check())) }
      case .hook(let hook):
        try require(asker, "speak for the batch system", hooks: true)
        try serve(hook, answer)
      }
    } catch {
      answer(.refused(error))
    }
  }

  private func serve(
    _ hook: LendingHook, _ answer: @escaping LendingAnswer
  ) throws(Refusal) {
    switch hook.moment {
    case .before: break
    case .after:
      epilog()
      return answer(.done)
    case .abandoned: return abandon(hook.job, answer)
    }
    let hosts: Set<String>?
    do {
      hosts = hook.hosts.isEmpty ? nil : Set(try HostList.hosts(hook.hosts))
    } catch {
      throw Refusal(.badValue, "the hosts of job \(shortened(hook.job)): \(error)")
    }
    prolog(hook.job, hosts, seconds: min(max(hook.limit, 0), 3600), answer: answer)
  }

  private func require(_ asker: String, _ what: String, hooks: Bool) throws(Refusal) {
    guard
      asker == "root" || asker == clients.ownUser || (hooks && settings.hookUsers.contains(asker))
    else {
      throw Refusal(.notAdministrator, "you may not \(what): you are \(asker)")
    }
  }

  private func requireHosts(_ names: [String]) throws(Refusal) {
    if let unknown = names.first(where: { !knows($0) }) {
      throw Refusal(
        .badValue, "there is no host \"\(shortened(unknown))\"; bebida status lists them")
    }
  }

  private func shortened(_ text: String) -> String { String(text.prefix(100)) }
}
