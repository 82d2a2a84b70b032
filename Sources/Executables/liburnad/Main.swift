// The server's program, which also looks at the database for `liburna doctor`.

import Controller
import SiteCheck

@main
enum Main {
  static func main() {
    let words = CommandLine.arguments.dropFirst()
    if SiteDoctor.isCall(words) { SiteDoctor.main(words) }
    Server.main()
  }
}
