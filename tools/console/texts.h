/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every word of the pages, in one table: a translation is another one. */
#ifndef CONSOLE_TEXTS_H
#define CONSOLE_TEXTS_H

#define TEXTS(X)                                                                                                       \
	X(PRODUCT, "nfqd")                                                                                             \
	X(SKIP, "Skip to content")                                                                                     \
	X(PAGES, "Pages")                                                                                              \
	X(ON, "Is it on?")                                                                                             \
	X(MACHINES, "Machines")                                                                                        \
	X(MACHINE, "Machine")                                                                                          \
	X(LIVE, "Live")                                                                                                \
	X(WHAT_IF, "What if")                                                                                          \
	X(EXCEPTIONS, "Exceptions")                                                                                    \
	X(EXCEPTIONS_AND_MODE, "Exceptions and mode")                                                                  \
	X(REPORT, "Report")                                                                                            \
	X(SIGN_IN, "Sign in")                                                                                          \
	X(SIGN_OUT, "Sign out")                                                                                        \
	X(USER, "User")                                                                                                \
	X(PASSWORD, "Password")                                                                                        \
	X(PASSWORD_AGAIN, "Password again")                                                                            \
	X(FIRST, "First sign-in")                                                                                      \
	X(FIRST_WHY, "Choose the name and the password of the first account. The link works once.")                    \
	X(FIRST_GONE, "This link was used already, or never was one. nfqd-console --add-user makes accounts.")          \
	X(FIRST_SHORT, "A password has at least 10 characters, and both must be the same; a name has 1 to 32 letters, " \
		"digits, dots, hyphens or underscores.")                                                               \
	X(CREATE, "Create the account")                                                                                \
	X(WRONG_PASSWORD, "User or password is wrong.")                                                                \
	X(TOO_SOON, "Too many failed sign-ins. Wait, then try again.")                                                 \
	X(FORBIDDEN, "This needs the role operate.")                                                                   \
	X(NOT_FOUND, "There is no such page.")                                                                         \
	X(REFUSED, "This request was refused")                                                                         \
	X(BUSY, "Too many live pages are open.")                                                                       \
	X(BACK, "Back")                                                                                                \
	X(TIMES_ARE, "Times are of this site, with their offset from UTC; records keep UTC.")                          \
	X(SIGNED_IN_AS, "Signed in as")                                                                                \
	/* is it on? */                                                                                                \
	X(IS_ON, "Protection is on.")                                                                                  \
	X(IS_OFF, "Protection is OFF.")                                                                                \
	X(IS_UNKNOWN, "No nfqd answers: nothing is protected.")                                                        \
	X(ON_SENTENCE, "What the packs list is refused on this machine, since")                                        \
	X(OFF_SENTENCE, "What the packs list may pass, since")                                                         \
	X(BECAUSE, "Why")                                                                                              \
	X(SINCE, "Since")                                                                                              \
	X(MODE, "Mode")                                                                                                \
	X(HEARTBEAT, "Heartbeat")                                                                                      \
	X(HEARTBEAT_OFF, "It is off: heartbeat: on in the configuration tries each channel with a name that is always refused.") \
	X(HEARTBEAT_WAITING, "The first one has not ended yet.")                                                       \
	X(WAY, "Way")                                                                                                  \
	X(CHANNEL, "Channel")                                                                                          \
	X(CHANNELS, "Channels")                                                                                        \
	X(RESULT, "Result")                                                                                            \
	X(UNINSPECTED, "Not inspected in the last day")                                                                \
	X(UNINSPECTED_NONE, "Nothing that nfqd knows of.")                                                             \
	X(WHAT, "What")                                                                                                \
	X(AMOUNT, "Amount")                                                                                            \
	X(PACKS, "Packs")                                                                                              \
	X(PACK, "Pack")                                                                                                \
	X(VERSION, "Version")                                                                                          \
	X(AGE, "Age")                                                                                                  \
	X(EXPIRES, "Expires")                                                                                          \
	X(EXPIRED, "expired")                                                                                          \
	X(DAYS, "days")                                                                                                \
	X(FAILING, "What is failing, and what mends it")                                                               \
	X(FAILING_NOTHING, "Nothing. nfqctl doctor also looks at this machine's kernel and firewall.")                 \
	X(CHECK, "Check")                                                                                              \
	X(FINDING, "Finding")                                                                                          \
	X(CURE, "Cure")                                                                                                \
	X(COMMAND, "Command")                                                                                          \
	/* machines */                                                                                                 \
	X(AT_LEAST, "At least")                                                                                        \
	X(AT_LEAST_WHY, "address translation and proxies hide machines")                                               \
	X(NONE_YET, "No machine has called a listed vendor.")                                                          \
	X(NONE_YET_HOW, "To see that protection works, ask for the canary's name on a machine behind nfqd; the answer is NXDOMAIN " \
		"with \"Blocked\", and the live page shows the record:")                                               \
	X(NAME, "Name")                                                                                                \
	X(VENDOR, "Vendor")                                                                                            \
	X(ALL, "all")                                                                                                  \
	X(PRODUCTS, "Products")                                                                                        \
	X(KNOWN_BY, "Known by")                                                                                        \
	X(FIRST_SEEN, "First seen")                                                                                    \
	X(LAST_SEEN, "Last seen")                                                                                      \
	X(OUTCOME_REFUSED, "Refused")                                                                                  \
	X(LOGGED, "Only logged")                                                                                       \
	X(PASSED, "Passed")                                                                                            \
	X(LEAKED, "To be refused, passed")                                                                             \
	X(SORT, "Sort by")                                                                                             \
	X(PERIOD, "Period")                                                                                            \
	X(SHOW, "Show")                                                                                                \
	X(RANDOM_MAC, "random MAC")                                                                                    \
	X(BEHIND, "behind")                                                                                            \
	X(ADDRESSES, "Addresses")                                                                                      \
	X(PAGE, "Page")                                                                                                \
	X(NEXT, "Next")                                                                                                \
	X(PREVIOUS, "Previous")                                                                                        \
	/* one machine */                                                                                              \
	X(BY_DAY, "By day")                                                                                            \
	X(DAY, "Day")                                                                                                  \
	X(NAMES, "Names")                                                                                              \
	X(RESOLVERS, "Resolvers, in the order tried")                                                                  \
	X(FALLBACK, "This is the product's own fallback: it asks these when its resolver does not answer.")            \
	X(ONE_MACHINE, "Why this is one machine")                                                                      \
	X(ADDRESS, "Address")                                                                                          \
	X(MAC, "MAC")                                                                                                  \
	X(REASON, "Reason")                                                                                            \
	X(INTERFACE, "Interface")                                                                                      \
	X(SPLIT, "Split")                                                                                              \
	X(SPLIT_WHY, "This address is another machine")                                                                \
	X(MERGE, "Merge")                                                                                              \
	X(MERGE_WHY, "The same machine as")                                                                            \
	X(ALLOW_HOUR, "Allow for an hour")                                                                             \
	X(MORE, "more; the API has them")                                                                              \
	X(OLDER_DAYS, "days before, summed up")                                                                        \
	X(CALLS, "Calls")                                                                                              \
	/* live */                                                                                                     \
	X(LIVE_WHY, "The latest records of listed names and of nfqd itself.")                                          \
	X(PAUSE, "Pause")                                                                                              \
	X(RESUME, "Go on")                                                                                             \
	X(FILTER, "Filter")                                                                                            \
	X(TIME, "Time")                                                                                                \
	X(CLIENT, "Client")                                                                                            \
	X(ACTION, "What was done")                                                                                     \
	X(WHY, "Why")                                                                                                  \
	X(EVIDENCE, "Evidence")                                                                                        \
	X(NO_RECORDS, "There is no record yet.")                                                                       \
	X(ITSELF, "nfqd itself")                                                                                       \
	X(RELOAD_PAGE, "Read again")                                                                                   \
	X(WHY_NAME, "Name, address or URL")                                                                            \
	X(WHY_AT, "At (UTC date, empty: now)")                                                                         \
	X(ASK, "Ask")                                                                                                  \
	X(FULL_ANSWER, "The full answer")                                                                              \
	/* what if */                                                                                                  \
	X(WHAT_IF_WHY, "Judges what machines called by another pack or at another date, before that is switched on.")  \
	X(CONFIGURATION, "the configuration, as of this console's start")                                              \
	X(AT_DATE, "At (UTC date)")                                                                                    \
	X(WOULD, "Would be")                                                                                           \
	X(TIMES, "Times")                                                                                              \
	X(EFFECT, "What its user notices")                                                                             \
	X(RULE, "Rule")                                                                                                \
	X(WHAT_IF_SUM, "machines would have been refused something")                                                   \
	X(YAML_TO_WRITE, "To switch it on, write this in nfqd.yaml, then run nfqctl reload:")                          \
	X(NO_RULES, "No pack could be read at the start of this console.")                                             \
	/* exceptions and mode */                                                                                      \
	X(MODE_NOW, "Mode now")                                                                                        \
	X(MODE_UNTIL, "until")                                                                                         \
	X(SET_MODE, "Set the mode")                                                                                    \
	X(FOR, "For (10m, 1h, 7d; empty: for good)")                                                                   \
	X(NO_EXCEPTIONS, "Nothing is allowed by way of exception.")                                                    \
	X(OWNER, "Owner")                                                                                              \
	X(ENDS, "Ends")                                                                                                \
	X(LEFT, "Left")                                                                                                \
	X(FROM, "From")                                                                                                \
	X(REVOKE, "Revoke")                                                                                            \
	X(REVOKE_ONE, "Revoke the exception")                                                                          \
	X(ALLOW, "Allow a name")                                                                                       \
	X(ALLOW_FOR, "For (1h, 7d)")                                                                                   \
	X(ALLOW_CLIENT, "Client (empty: every machine)")                                                               \
	X(NOT_A_CLIENT, "A client is an address, a network, a MAC or this-machine.")                                   \
	X(HISTORY, "History")                                                                                          \
	X(WHEN, "When")                                                                                                \
	X(NOTE, "Note")                                                                                                \
	X(DONE, "Done")                                                                                                \
	/* report */                                                                                                   \
	X(REPORT_WHY, "For a manager or an auditor: print it, or save it as a page, a table or JSON.")                 \
	X(FROM_DATE, "From (UTC date)")                                                                                \
	X(UNTIL_DATE, "Until (UTC date)")                                                                              \
	X(AS_PAGE, "As a page")                                                                                        \
	X(AS_CSV, "As CSV")                                                                                            \
	X(AS_JSON, "As JSON")                                                                                          \
	X(EVIDENCE_WHY, "One record and what was in force, as a file.")                                                \
	X(EVIDENCE_GONE, "This record is not among the latest ones. On this machine, nfqctl evidence finds it in the log:") \
	X(RECORD, "Record (sensor/boot/seq)")                                                                          \
	X(SAVE, "Save")                                                                                                \
	X(NOT_ANSWERED, "This could not be answered")

#define TEXT_ID(id, text) T_##id,
enum text { TEXTS(TEXT_ID) TEXTS_N };

const char *t(enum text id);

#endif
