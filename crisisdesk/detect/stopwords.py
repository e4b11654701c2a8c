"""Words that say nothing about a subject, in the languages of the desk; networks' own words among them."""

from typing import Final

_ENGLISH = """
about after again all also am an and another any anyone are aren't around as at away back be because been before being
both but by came can can't cannot come comes could couldn't did didn't do does doesn't doing don't done dont down each
either else even ever every everyone few for from get gets getting give go goes going gonna got had has hasn't have
haven't having he he's her here here's hers him his how i i'd i'll i'm i've if im in into is isn't it it's its itself
just keep know less let let's like ll lol lot made make makes many may maybe me might mine more most much must my
myself need never new no nobody none nor not nothing now of off oh ok okay on once one only onto or other others our
ours out over own people per please put quite rather re really right said same saw say saying says see seen she she's
should shouldn't since so some someone something still stuff such sure take than thanks that that's thats the their
theirs them then there there's these they they're they've thing things think this those though thought through till
to today tomorrow tonight too try two u until up upon ur us use used using very via want wants was wasn't way we we'll
we're we've well went were weren't what what's when where which while who whole who's why will with won't would
wouldn't yes yesterday yet you you'd you'll you're you've your yours yourself day days time times year years week
"""
_GERMAN = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus außer bei beim bin bis bist da dabei
dadurch dafür dagegen daher damit dann daran darauf darf darum das dass davon dazu dein deine dem den denen denn
der deren des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen
einer eines einfach einmal er es etwa etwas euch euer eure für gar gegen gerade gern geht gibt gut hab habe haben
halt hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jede
jedem jeden jeder jedes jetzt kann kannst kein keine keinen man mal mehr mein meine meinem meinen meiner mich mir
mit muss müssen nach nein nicht nichts nie noch nun nur ob oder ohne schon sehr sein seine seinem seinen seiner
seit sich sie sind so soll sollte sondern sonst über um und uns unser unsere unter viel viele vom von vor wann war
waren warum was wegen weil weiter welche wenn wer werde werden wie wieder will wir wird wirklich wo wollen wurde
würde wurden zu zum zur heute morgen
"""
_NETWORKS = "rt mt via abt tweet tweets tweeted tweeting retweet retweeting retweeted http https www com amp gt lt"

STOPWORDS: Final = frozenset(f"{_ENGLISH} {_GERMAN} {_NETWORKS}".split())
