/** First and last names that are frequent in several countries, in lower case; none that is also a word of imaging (`may`, `young`, `long`). */
export const FREQUENT_NAMES: ReadonlySet<string> = new Set(
  `smith johnson williams jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore
  jackson martin thompson harris sanchez clark ramirez lewis robinson walker allen wright scott torres nguyen flores adams nelson
  campbell mitchell carter roberts mueller muller schmidt schneider fischer weber meyer wagner becker schulz hoffmann koch richter
  wolf dubois dupont durand bernard moreau laurent lefebvre rossi russo ferrari esposito bianchi romano colombo silva santos oliveira
  souza pereira costa ferreira almeida ivanov smirnov kuznetsov petrov novak kowalski nowak wisniewski hansen johansson andersson
  karlsson nielsen jensen pedersen larsen olsen virtanen korhonen jansen devries vandenberg bakker visser yilmaz kaya demir kim park
  choi wang zhang chen yang zhao huang zhou tanaka suzuki sato takahashi watanabe yamamoto kobayashi singh kumar sharma patel gupta
  khan ahmed ali hussein mohamed muhammad cohen levi doe
  james mary robert patricia john jennifer michael linda david elizabeth william barbara richard susan joseph jessica charles sarah
  christopher karen daniel lisa matthew anthony donald sandra steven ashley andrew kimberly paul emily joshua donna kenneth michelle
  kevin carol brian amanda george melissa timothy deborah maria anna peter hans klaus juergen wolfgang stefan andreas sabine ursula
  jean pierre michel jacques francois isabelle nathalie giuseppe giovanni antonio mario luigi francesca jose carlos luis juan manuel
  carmen ana sergei dmitri olga natalia yuki hiroshi wei fatima aisha`.split(/\s+/),
);
