import Primitives

/// Words that services are called and described with.
enum Vocabulary {
    static let types = ["service", "website", "library", "database", "openapi", "team"]
    static let lifecycles = ["production", "production", "experimental", "deprecated"]

    static let nouns: [String] = """
        account address agent alert archive asset audit backlog badge balance basket billing blob
        booking budget bundle cache calendar campaign capacity carrier cart catalog channel charge
        checkout claim client cluster comment component config consent contact content contract
        coupon credit currency customer dashboard dataset deadline delivery deposit device digest
        discount dispatch document domain edge email employee endpoint event experiment export
        feature feed fleet forecast form fraud gateway geography grant group guest handbook health
        history identity image import inbox incident index ingest insight insurance inventory
        invoice job journal journey kernel ledger lending library license limit link listing loan
        locale location login loyalty mail manifest margin market media member merchant message
        meter metric migration mobile model monitor mortgage network notice notification offer
        onboarding operator order outbox owner package page partner password payment payout
        payroll permission picture pipeline planner platform plugin policy portal portfolio
        preference price pricing print product profile promotion proxy purchase quality queue
        quota quote rating receipt recipe recommendation refund region registry release renewal
        replica report request reservation resource review reward rider risk roster route rule
        salary sale sample schedule schema scope search seat secret seller sensor session
        settlement shelf shift shipment signal site slot snapshot source stock storage store
        stream studio subscription supplier support survey sync tariff task tax team telemetry
        template tenant ticket timeline token topic tracking trade transfer transit trip upload
        usage user vault vehicle vendor video visitor voucher wallet warehouse watch weather
        webhook widget window worker workflow zone
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    private static let verbs = [
        "collects", "keeps", "sends", "checks", "computes", "shows", "plans", "stores", "merges",
        "routes", "prints", "watches", "counts", "renders", "imports", "publishes", "signs",
    ]
    private static let fillers = [
        "for", "of", "with", "and the", "from every", "before the", "by", "in each", "after the",
        "without any", "beside the", "over all", "into the",
    ]

    /// So many words that read like a description from afar.
    static func appendSentence(
        _ row: inout RowBuffer,
        of count: Int,
        _ random: inout SeededRandom
    ) {
        for place in 0..<count {
            if place > 0 { row.append(" ") }
            switch place % 4 {
            case 0, 2: row.append(nouns[random.below(nouns.count)])
            case 1: row.append(verbs[random.below(verbs.count)])
            default: row.append(fillers[random.below(fillers.count)])
            }
        }
    }
}
